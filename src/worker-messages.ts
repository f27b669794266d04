/** Owns what a primary process and its workers tell one another. */
import { z } from 'zod';

import type { StartedServer } from './start-message.ts';

/** To a worker: here is a connection, or no more come, and it is to end when it has finished its calls. */
export type PrimaryMessage =
  | { readonly type: 'connection'; readonly id: number }
  | { readonly type: 'stop' };

const primaryMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('connection'), id: z.int() }),
  z.object({ type: z.literal('stop') }),
]);

/** `undefined` for what others tell. */
export function readPrimaryMessage(message: unknown): PrimaryMessage | undefined {
  return primaryMessage.safeParse(message).data;
}

const workerMessage = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('started'),
    url: z.string(),
    bootstrapped: z
      .object({ organizationId: z.string(), generatedToken: z.string().nullable() })
      .nullable(),
  }),
  z.object({ type: z.literal('taken'), id: z.int() }),
  z.object({ type: z.literal('leaving') }),
]);

export type WorkerMessage = z.infer<typeof workerMessage>;

/** From a worker: that it serves, that it has a connection, or that it was asked to end. */
export type ToldByWorker =
  | { readonly type: 'started'; readonly server: StartedServer }
  | { readonly type: 'taken'; readonly id: number }
  | { readonly type: 'leaving' };

/** `undefined` for what others tell. */
export function readWorkerMessage(message: unknown): ToldByWorker | undefined {
  const { data } = workerMessage.safeParse(message);
  if (data?.type !== 'started') return data;
  const { url, bootstrapped } = data;
  return {
    type: 'started',
    server: {
      url,
      bootstrapped: bootstrapped
        ? { ...bootstrapped, generatedToken: bootstrapped.generatedToken ?? undefined }
        : undefined,
    },
  };
}

export function writeStarted({ url, bootstrapped }: StartedServer): WorkerMessage {
  return {
    type: 'started',
    url,
    bootstrapped: bootstrapped
      ? { ...bootstrapped, generatedToken: bootstrapped.generatedToken ?? null }
      : null,
  };
}
