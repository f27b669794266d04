// What becomes of answers on their way out, whatever the protocol: where the layers of Node around them differ.
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { answerJson, sendAnswer } from '../../src/http/answer.ts';
import type { Answer } from '../../src/http/answer.ts';
import { callHttp1, callHttp2, openHttp2, startTestListener } from './listener-under-test.ts';

const okay: Answer = { status: 200, header: {}, body: Buffer.from('okay') };

/** Asks over both. */
async function callBoth(answer: Answer) {
  const { port } = await startTestListener({
    handle: (_request, response) => sendAnswer(response, answer),
  });
  const answers = [await callHttp1(port, {}), await callHttp2(await openHttp2(port), {})];
  return { port, answers };
}

describe('an answer', () => {
  it('to HEAD over HTTP/2 ends its exchange, and not the session when the deadline has passed', async () => {
    const { port } = await startTestListener({
      limits: { exchangeTimeoutMs: 100 },
      handle: (request, response) => answerJson({ request, response }, 200, {}),
    });
    const session = await openHttp2(port);
    expect(await callHttp2(session, { headers: { ':method': 'HEAD' } })).toMatchObject({
      status: 200,
      body: '',
    });
    // The session guard cuts a session 2 s after a stream that does not end.
    await delay(2_400);
    expect(session.destroyed).toBe(false);
    expect(await callHttp2(session, {})).toMatchObject({ status: 200 });
  });

  it('whose header Node refuses is an internal error, and no more than that', async () => {
    const { answers, port } = await callBoth({ ...okay, header: { 'not a name': 'x' } });
    expect(answers.map(({ status }) => status)).toEqual([500, 500]);
    expect(await callHttp1(port, {})).toMatchObject({ status: 500 });
  });

  it('over HTTP/2 says nothing of the connection, which is for HTTP/1.1', async () => {
    const { answers } = await callBoth({ ...okay, header: { connection: 'close' } });
    expect(answers.map(({ headers }) => headers['connection'])).toEqual(['close', undefined]);
    expect(answers.map(({ body }) => body)).toEqual(['okay', 'okay']);
  });

  it('tells its status to whoever asks the response', async () => {
    const seen: number[] = [];
    const { port } = await startTestListener({
      handle: (_request, response) => {
        sendAnswer(response, { ...okay, status: 503 });
        seen.push(response.statusCode);
      },
    });
    await callHttp1(port, {});
    await callHttp2(await openHttp2(port), {});
    expect(seen).toEqual([503, 503]);
  });
});
