/**
 * Owns the page that a test login ends on: for the admin who tests with an account of their own, so it shows what came,
 * value by value. Nobody else is shown these.
 */
import { isWritable } from '../domain/claims-depth.ts';
import type { MappedAttributes } from '../domain/claims-mapping.ts';
import type { VerdictCause, VerdictExplanation } from '../domain/explain-verdict.ts';
import type { TestLoginReport, TestLoginResult } from '../domain/test-login-report.ts';
import { html } from './html.ts';
import type { Html } from './html.ts';
import type { Page } from './page.ts';

/** Of one claim's value, in UTF-16 code units. */
const SHOWN_LENGTH = 1_000;
/** Claims, in the order in which they came. */
const SHOWN_CLAIMS = 200;

export function createTestReportPage({ report, claims, attributes }: TestLoginResult): Page {
  const heading = report.wouldAdmit ? 'This person would be let in' : 'This person would stay out';
  return {
    title: `Test login: ${heading}`,
    content: html`<h1>${heading}</h1>
      <p class="note">
        This was a test login. Nobody was signed in, and nothing was changed. The values below are
        shown in this browser alone.
      </p>
      <p>${report.consequence}</p>
      ${!report.wouldAdmit && createRefusal(report)}
      ${report.explanation !== undefined && createExplanation(report.explanation)}
      ${attributes !== undefined && createAttributes(attributes)}
      ${claims !== undefined && createClaims(claims)}`,
  };
}

function createRefusal({ stage, reason, detail }: TestLoginReport): Html {
  return html`<h2>Why</h2>
    <p class="wrong">${detail}</p>
    <p class="note">Stage <code>${stage}</code>, reason <code>${reason}</code></p>`;
}

function createExplanation({ summary, causes, missingClaims }: VerdictExplanation): Html {
  return html`<h2>What the rule says</h2>
    <p>${summary}</p>
    <ul>
      ${causes.map(createCause)}
    </ul>
    ${
      missingClaims.length > 0 &&
      html`<h2>Missing claims</h2>
        <dl>
          ${missingClaims.map(
            ({ claim, hint }) =>
              html`<dt><code>${claim}</code></dt>
                <dd>${hint}</dd>`,
          )}
        </dl>`
    }`;
}

function createCause({
  expression,
  line,
  column,
  message,
  seen,
  alternativeOf,
}: VerdictCause): Html {
  return html`<li>
    <p>
      <code>${expression}</code> ${message}
      <span class="note">(line ${line}, column ${column})</span>${
        alternativeOf !== '' &&
        html`<br /><span class="note"
            >One side of <code>${alternativeOf}</code>: either would do.</span
          >`
      }
      ${seen.map(
        ({ expression: part, value }) =>
          html`<br /><span class="note"
              ><code>${part}</code>
              ${value === '' ? 'is absent' : html`is <code>${value}</code>`}</span
            >`,
      )}
    </p>
  </li>`;
}

function createAttributes({ email, name, picture, groups, emailVerified }: MappedAttributes): Html {
  const vouched = emailVerified === undefined ? 'not said' : emailVerified ? 'yes' : 'no';
  return html`<h2>What we make of the claims</h2>
    <dl>
      ${createEntry('Email', email)} ${createEntry('Email verified', vouched)}
      ${createEntry('Name', name)} ${createEntry('Picture', picture)}
      ${createEntry('Groups', groups.length === 0 ? undefined : groups.join(', '))}
    </dl>`;
}

function createClaims(claims: Readonly<Record<string, unknown>>): Html {
  const entries = Object.entries(claims);
  return html`<h2>Claims that came</h2>
    <dl>
      ${entries.slice(0, SHOWN_CLAIMS).map(([name, value]) => createEntry(name, writeClaim(value)))}
    </dl>
    ${
      entries.length > SHOWN_CLAIMS &&
      html`<p class="note">And ${entries.length - SHOWN_CLAIMS} more.</p>`
    }`;
}

function writeClaim(value: unknown): string {
  return isWritable(value) ? JSON.stringify(value) : '(nested too deep to be shown)';
}

function createEntry(name: string, value: string | undefined): Html {
  const shown =
    value !== undefined && value.length > SHOWN_LENGTH ? `${value.slice(0, SHOWN_LENGTH)}…` : value;
  return html`<dt><bdi>${name}</bdi></dt>
    <dd>${shown === undefined ? 'absent' : html`<bdi>${shown}</bdi>`}</dd>`;
}
