/** Owns the process of `login-load.ts`: an identity provider, and the browsers that sign in through it. */
import type { ChildProcess } from 'node:child_process';

import { startScript } from './child-script.ts';
import { idpReady, loginLoadResult } from './login-load-messages.ts';
import type { LoginLoadCommand, LoginLoadResult } from './login-load-messages.ts';
import type { Machine } from './machine.ts';
import { stopChild } from './scratch.ts';

export interface LoginLoad {
  /** What a configuration for the identity provider says. */
  readonly configuration: Readonly<Record<string, string>>;
  readonly run: (command: LoginLoadCommand) => Promise<LoginLoadResult>;
  readonly stop: () => Promise<void>;
}

/** What a server needs: every login comes from an address of its own, so that the limits are on, and far away. */
export const LOGIN_ENVIRONMENT = {
  CLAIMGATE_TRUSTED_PROXIES: '127.0.0.1',
  CLAIMGATE_ALLOW_HTTP_ISSUERS: 'true',
  CLAIMGATE_ALLOW_PRIVATE_ISSUERS: 'true',
};

export async function startLoginLoad(machine: Machine): Promise<LoginLoad> {
  const child = startScript(machine, ['bench/login-load.ts'], { cores: 'load', ipc: true });
  const configuration = idpReady.parse(await hear(child));
  return {
    configuration,
    async run(command) {
      child.send(command);
      return loginLoadResult.parse(await hear(child));
    },
    stop: () => stopChild(child),
  };
}

/** The child's next message. Fails when it ends instead. */
async function hear(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const fail = (code: number | null) => reject(new Error(`The load ended with ${code}`));
    child.once('exit', fail);
    child.once('message', (message) => {
      child.off('exit', fail);
      resolve(message);
    });
  });
}
