import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { judgeAddress } from '../../src/oidc/address-rules.ts';
import { GuardedFetchError } from '../../src/oidc/guarded-fetch-error.ts';
import { checkOutboundUrl } from '../../src/oidc/outbound-url.ts';

const STRICT = { allowHttp: false, allowPrivate: false } as const;
const RELAXED = { allowHttp: true, allowPrivate: true } as const;

function catchCode(check: () => unknown): string {
  try {
    check();
  } catch (error) {
    if (error instanceof GuardedFetchError) return error.code;
    throw error;
  }
  return 'accepted';
}

const REFUSED: Readonly<Record<string, readonly string[]>> = {
  unspecified: ['0.0.0.0', '0.1.2.3', '::'],
  loopback: ['127.0.0.1', '127.255.255.254', '::1'],
  private: [
    '10.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.0.1',
    'fc00::1',
    'fd12:3456::1',
    'fec0::1',
  ],
  'link-local': ['169.254.0.1', '169.254.169.253', 'fe80::1', 'fe80::1%eth0', 'febf::1'],
  'carrier-grade NAT': ['100.64.0.1', '100.127.255.254'],
  multicast: ['224.0.0.1', '239.255.255.255', 'ff02::1', 'ff0e::1'],
  broadcast: ['255.255.255.255'],
  'metadata service': [
    '169.254.169.254',
    '169.254.170.2',
    '168.63.129.16',
    '100.100.100.200',
    '192.0.0.192',
    'fd00:ec2::254',
    'FD00:0EC2:0:0:0:0:0:254',
    'fd00:ec2::254%eth0',
    'fd20:ce::254',
  ],
  'embeds another address': [
    '::ffff:8.8.8.8',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::127.0.0.1',
    '::ffff:0:8.8.8.8',
    '64:ff9b::7f00:1',
    '64:ff9b::8.8.8.8',
    '64:ff9b:1::1',
    '2002:7f00:1::1',
    '2002:808:808::1',
    '2001::1',
    '2001:0:4136:e378::1',
  ],
  reserved: [
    '192.0.0.8',
    '192.0.2.1',
    '198.51.100.7',
    '203.0.113.9',
    '198.18.0.1',
    '198.19.255.255',
    '192.88.99.1',
    '240.0.0.1',
    '255.255.255.254',
    '192.31.196.1',
    '192.52.193.1',
    '2001:db8::1',
    '3fff::1',
    '100::1',
    '2001:2::1',
    '2001:10::1',
    '2001:20::1',
    '5f00::1',
    '4000::1',
    'c000::1',
    'fe00::1',
    '1::1',
  ],
  'not an address': ['', 'localhost', '127.1', '0x7f000001', '017700000001', '1.2.3.4.5', '[::1]'],
};

describe('an address', () => {
  test.for(
    Object.entries(REFUSED).flatMap(([kind, list]) => list.map((address) => ({ kind, address }))),
  )('"$address" is refused: $kind', ({ kind, address }) => {
    expect(judgeAddress(address, STRICT)).toBe(kind);
  });

  test.for([
    '8.8.8.8',
    '1.1.1.1',
    '100.63.255.255',
    '100.128.0.0',
    '172.15.255.255',
    '172.32.0.0',
    '169.253.255.255',
    '192.167.255.255',
    '11.0.0.1',
    '223.255.255.255',
    '168.63.129.17',
    '2606:4700:4700::1111',
    '2a00:1450:4001::1',
    '2001:4860:4860::8888',
  ])('%s is accepted', (address) => {
    expect(judgeAddress(address, STRICT)).toBeUndefined();
  });

  test('relaxed accepts loopback, private and carrier-grade NAT, and nothing else that is refused', () => {
    const relaxed = Object.entries(REFUSED).flatMap(([kind, list]) =>
      list.some((address) => judgeAddress(address, RELAXED) === undefined) ? [kind] : [],
    );
    expect(relaxed.toSorted()).toEqual(['carrier-grade NAT', 'loopback', 'private']);
  });
});

describe('a URL that is an address', () => {
  test.for([
    '127.1',
    '127.0.1',
    '0x7f000001',
    '0x7f.1',
    '0x7F.0.0.0x1',
    '017700000001',
    '0177.0.0.1',
    '2130706433',
    '127.0.0.1.',
    '127.1.',
    '%31%32%37.0.0.1',
    '①②⑦.⓪.⓪.①',
    '127。0。0。1',
    '0',
    '0.0.0.0',
    '0x0',
    '[::]',
    '[::1]',
    '[0:0:0:0:0:0:0:1]',
    '[::ffff:7f00:1]',

    '[::ffff:127.0.0.1]',
    '[::127.0.0.1]',
    '[::7f00:1]',
    '[64:ff9b::7f00:1]',
    '[2002:7f00:1::]',
    '169.254.169.254',
    '0xa9fea9fe',
    '2852039166',
    '0251.0376.0251.0376',
    '[::ffff:a9fe:a9fe]',
    '169.254.43518',
    '[fd00:ec2::254]',
    '[FD00:0EC2::0254]',
    '10.1',
    '192.168.1',
    '100.64.0.1',
  ])('"https://%s/" is refused', (host) => {
    expect(catchCode(() => checkOutboundUrl(`https://${host}/`, STRICT))).toBe('address_refused');
  });

  test('is refused in whatever spelling the URL parser knows', () => {
    const octet = (value: number, radix: 8 | 10 | 16): string =>
      `${{ 8: '0', 10: '', 16: '0x' }[radix]}${value.toString(radix)}`;
    const radix = fc.constantFrom<8 | 10 | 16>(8, 10, 16);
    const loopback = fc.tuple(fc.constant(127), fc.nat(255), fc.nat(255), fc.nat(255));
    const privateTen = fc.tuple(fc.constant(10), fc.nat(255), fc.nat(255), fc.nat(255));
    const parts = fc.oneof(loopback, privateTen);
    fc.assert(
      fc.property(
        parts,
        fc.array(radix, { minLength: 4, maxLength: 4 }),
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom('', '.'),
        ([a, b, c, d], bases, length, dot) => {
          const numbers = [a, b, c, d].slice(0, length - 1);
          const rest = [a, b, c, d].slice(length - 1).reduce((sum, value) => sum * 256 + value, 0);
          const host = [...numbers, rest]
            .map((value, index) => octet(value, bases[index] ?? 10))
            .join('.');
          expect(catchCode(() => checkOutboundUrl(`https://${host}${dot}/`, STRICT))).toBe(
            'address_refused',
          );
          const mapped = `[::ffff:${a}.${b}.${c}.${d}]`;
          expect(catchCode(() => checkOutboundUrl(`https://${mapped}/`, STRICT))).toBe(
            'address_refused',
          );
        },
      ),
    );
  });

  test('a random address is judged the same as a literal and as an answer of the resolver', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
        const host = address.includes(':') ? `[${address}]` : address;
        const isRefused =
          catchCode(() => checkOutboundUrl(`https://${host}/`, STRICT)) !== 'accepted';
        expect(isRefused).toBe(judgeAddress(address, STRICT) !== undefined);
      }),
    );
  });
});

describe('a URL', () => {
  test.for([
    { url: 'https://idp.example', code: 'accepted' },
    { url: 'https://idp.example:8443/tenant', code: 'accepted' },
    { url: 'https://8.8.8.8/', code: 'accepted' },
    { url: 'http://idp.example', code: 'url_refused' },
    { url: 'ftp://idp.example', code: 'url_refused' },
    { url: 'file:///etc/passwd', code: 'url_refused' },
    { url: 'javascript:alert(1)', code: 'url_refused' },
    { url: 'data:application/json,{}', code: 'url_refused' },
    { url: 'https://user@idp.example', code: 'url_refused' },
    { url: 'https://user:password@idp.example', code: 'url_refused' },
    { url: '//idp.example', code: 'url_refused' },
    { url: 'idp.example', code: 'url_refused' },
    { url: 'https://', code: 'url_refused' },
    { url: 'https://[fe80::1%25eth0]/', code: 'url_refused' },
    { url: '', code: 'url_refused' },
  ])('"$url" is $code', ({ url, code }) => {
    expect(catchCode(() => checkOutboundUrl(url, STRICT))).toBe(code);
  });

  test('with http is accepted only by its own relaxation', () => {
    const check = (allowHttp: boolean, allowPrivate: boolean): string =>
      catchCode(() => checkOutboundUrl('http://127.0.0.1:8080/', { allowHttp, allowPrivate }));
    expect(check(false, false)).toBe('url_refused');
    expect(check(false, true)).toBe('url_refused');
    expect(check(true, false)).toBe('address_refused');
    expect(check(true, true)).toBe('accepted');
  });

  test('never makes the check fail with anything but its own error', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.webUrl(),
          fc.string().map((host) => `https://${host}/`),
        ),
        (url) => {
          expect(catchCode(() => checkOutboundUrl(url, STRICT))).toMatch(
            /^(accepted|url_refused|address_refused)$/,
          );
        },
      ),
    );
  });
});
