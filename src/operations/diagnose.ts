/**
 * Owns a check-up of all that a server needs, in the order in which one thing depends on another. It changes
 * nothing but a count that shows that writes reach the disk.
 */
import { ConfigError, parseConfig } from '../config.ts';
import type { Config } from '../config.ts';
import { checkDns, checkIssuers } from './check-outside.ts';
import { checkConfiguration, checkPort, checkPublicUrl, checkTls } from './check-setup.ts';
import { checkStore } from './check-store.ts';
import { fail } from './finding.ts';
import type { Finding } from './finding.ts';

export interface DiagnoseOptions {
  /** Whether nothing is asked of DNS, identity providers and the public URL. */
  readonly offline: boolean;
  /** How many issuers are asked at most. */
  readonly issuers: number;
}

/** @param onFinding is told each as it is found */
export async function diagnose(
  environment: Readonly<Record<string, string | undefined>>,
  { offline, issuers }: DiagnoseOptions,
  onFinding: (finding: Finding) => void,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const report = (...found: readonly Finding[]): void => {
    findings.push(...found);
    for (const finding of found) onFinding(finding);
  };
  let config: Config;
  try {
    config = parseConfig(environment);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const advice =
      'Correct it: the server does not start. docs/configuration.md has all variables.';
    report(...error.mistakes.map((mistake) => fail('configuration', mistake, advice)));
    return findings;
  }
  report(...checkConfiguration(config), ...(await checkTls(config, new Date())));
  const { isServing, findings: port } = await checkPort(config);
  report(...port);
  const store = await checkStore(config, report);
  try {
    if (!offline) {
      report(...(await checkPublicUrl(config, isServing)), ...(await checkDns(config)));
      if (store !== undefined) await checkIssuers(config, store, { limit: issuers, report });
    }
  } finally {
    await store?.close();
  }
  return findings;
}
