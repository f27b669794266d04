/** Owns what `login.ts` and its child `login-load.ts` tell one another. */
import { z } from 'zod';

export const loginLoadCommand = z.object({
  /** Where Claimgate listens on 127.0.0.1. */
  port: z.number(),
  ssoConfigurationId: z.string(),
  parallel: z.number(),
  seconds: z.number(),
});

export type LoginLoadCommand = Readonly<z.infer<typeof loginLoadCommand>>;

/** What a configuration for the child's identity provider says. */
export const idpReady = z.object({
  issuerUrl: z.string(),
  clientId: z.string(),
  clientSecret: z.string(),
  emailDomain: z.string(),
  claimsExpression: z.string(),
});

const timedLogin = z.object({
  /** The callback as the browser sees it, in milliseconds. */
  wholeMs: z.number(),
  /** While the identity provider had a request in hand; has a meaning when logins come one at a time. */
  providerMs: z.number(),
});

export type TimedLogin = Readonly<z.infer<typeof timedLogin>>;

export const loginLoadResult = z.object({ logins: z.array(timedLogin), seconds: z.number() });

export type LoginLoadResult = Readonly<z.infer<typeof loginLoadResult>>;
