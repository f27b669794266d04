// Owns a real DNS server on 127.0.0.1, over UDP, that answers TXT questions from a table. For the tests and for
// `npm run demo`.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { decode, encode } from 'dns-packet';

export interface StartedDnsServer {
  /** `address:port`. */
  readonly address: string;
  /** Sets the name's records; none makes it a name that does not exist. Case does not distinguish names. */
  readonly setTxt: (name: string, texts: readonly string[]) => void;
  /** While silent, it answers nothing. */
  readonly setSilent: (silent: boolean) => void;
  readonly stop: () => Promise<void>;
}

export async function startDnsServer(): Promise<StartedDnsServer> {
  const records = new Map<string, readonly string[]>();
  let isSilent = false;
  const socket = createSocket('udp4');
  socket.on('message', (message, { address, port }) => {
    if (isSilent) return;
    const query = decode(message);
    const [question] = query.questions ?? [];
    const texts = question?.type === 'TXT' ? (records.get(question.name.toLowerCase()) ?? []) : [];
    const response = encode({
      type: 'response',
      id: query.id ?? 0,
      // RFC 1035 §4.1.1: recursion desired and available; RCODE 3 says that the name does not exist.
      flags: 0x0180 | (texts.length === 0 ? 3 : 0),
      questions: query.questions ?? [],
      answers: texts.map((text) => ({
        type: 'TXT',
        name: question?.name ?? '',
        ttl: 1,
        // A long text travels in strings of at most 255 bytes (RFC 1035 §3.3).
        data: text.match(/.{1,200}/gs) ?? [''],
      })),
    });
    socket.send(response, port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    address: `127.0.0.1:${socket.address().port}`,
    setTxt: (name, texts) => void records.set(name.toLowerCase(), texts),
    setSilent: (silent) => {
      isSilent = silent;
    },
    stop: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}
