/** Owns what a primary process and its workers tell one another. */
import { z } from 'zod';

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
    server: z.object({
      url: z.string(),
      bootstrapped: z
        .object({ organizationId: z.string(), generatedToken: z.string().optional() })
        .optional(),
    }),
  }),
  z.object({ type: z.literal('taken'), id: z.int() }),
  z.object({ type: z.literal('leaving') }),
]);

/** From a worker: that it serves, that it has a connection, or that it was asked to end. */
export type WorkerMessage = z.infer<typeof workerMessage>;

/** `undefined` for what others tell. */
export function readWorkerMessage(message: unknown): WorkerMessage | undefined {
  return workerMessage.safeParse(message).data;
}
