/** Owns what trying configurations out asks of the store: the part of the store's contract that `ports.ts` takes up. */
import type { KeptAttempt } from './claims-preview.ts';
import type { Page, PageRequest } from './page.ts';
import type { TestLogin } from './test-login.ts';

/** What trials read, within a transaction or without. */
export interface TrialReader {
  /**
   * A configuration's attempts that have kept their claims, with these, decrypted; newest first, by when they ended. An
   * attempt whose claims do not decrypt comes without.
   */
  listKeptAttempts(ssoConfigurationId: string, page: PageRequest): Promise<Page<KeptAttempt>>;
  /** Fails with `DomainError('failed_precondition')` when its content does not decrypt. */
  findTestLogin(id: string): Promise<TestLogin | undefined>;
}

/** What trials change, within a transaction. */
export interface TrialWriter {
  /** Its content is stored encrypted, token, state and browser as digests. Goes with its organization and configuration. */
  insertTestLogin(login: TestLogin): Promise<void>;
  /** By the digest of its token, or of its state. Locks it. */
  lockTestLogin(by: 'token' | 'state', digest: string): Promise<TestLogin | undefined>;
  /** Phase, state, browser and content; all else stays. */
  updateTestLogin(login: TestLogin): Promise<void>;
}
