/**
 * Owns the page that shows the OpenAPI document to people: one file without scripts, whose words are the document's. It
 * refuses to know the schema itself.
 */
import { html, renderHtml } from '../../src/login/html.ts';
import type { Html } from '../../src/login/html.ts';
import type { JsonSchema, Methods, OpenApiDocument, Operation } from './document.ts';

export function renderPage(document: OpenApiDocument): string {
  const { info, tags, paths, components } = document;
  const methods = Object.entries(paths).map(([path, { post, get }]) => ({ path, post, get }));
  // What is asked and answered stands with its method.
  const shown = new Set(methods.flatMap(({ post }) => listReferences(post)));
  const types = Object.entries(components.schemas).filter(
    ([name]) => !shown.has(name) && !name.startsWith('Error'),
  );
  return renderHtml(
    html`<!doctype html>
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <title>${info.title} API</title>
          <link rel="stylesheet" href="docs/style.css" />
        </head>
        <body>
          <a class="skip" href="#methods">To the methods</a>
          <header>
            <h1>${info.title} API</h1>
            ${renderText(info.description)}
            <p><a href="openapi.json">OpenAPI 3.1 document</a></p>
          </header>
          <nav aria-label="Methods and types">
            ${tags.map(
              ({ name }) =>
                html`<h2><a href="#${name}">${name.replace(/^.*\./, '')}</a></h2>
                  <ul>
                    ${methods
                      .filter(({ post }) => post.tags.includes(name))
                      .map(
                        ({ path, post }) =>
                          html`<li>
                            <a href="#${post.operationId}">${path.replace(/^.*\//, '')}</a>
                          </li>`,
                      )}
                  </ul>`,
            )}
            <h2><a href="#errors">Errors</a></h2>
            <h2><a href="#types">Types</a></h2>
          </nav>
          <main id="methods">
            ${tags.map(
              ({ name, description }) =>
                html`<section aria-labelledby="${name}">
                  <h2 id="${name}">${name}</h2>
                  ${renderText(description)}
                  ${methods
                    .filter(({ post }) => post.tags.includes(name))
                    .map(({ path, post, get }) =>
                      renderMethod(path, post, get !== undefined, components.schemas),
                    )}
                </section>`,
            )}
            <section aria-labelledby="errors">
              <h2 id="errors">Errors</h2>
              ${renderSchema('Error', components.schemas['Error'])}
              ${renderSchema('ErrorDetail', components.schemas['ErrorDetail'])}
              ${Object.entries(components.responses).map(
                ([name, { description }]) =>
                  html`<h3 id="${name}">HTTP ${name.replace('Error', '')}</h3>
                    ${renderText(description)}`,
              )}
            </section>
            <section aria-labelledby="types">
              <h2 id="types">Types</h2>
              ${types.map(([name, schema]) => renderSchema(name, schema))}
            </section>
          </main>
        </body>
      </html> `,
  ).replaceAll(/\n\s*\n+\s*/g, '\n');
}

function renderMethod(
  path: string,
  post: Methods['post'],
  hasGet: boolean,
  schemas: Readonly<Record<string, JsonSchema>>,
): Html {
  const input = post.requestBody.content['application/json'];
  const output = readOutput(post);
  const statuses = Object.keys(post.responses).filter((status) => status !== '200');
  return html`<article aria-labelledby="${post.operationId}">
    <h3 id="${post.operationId}">${path.replace(/^.*\//, '')}</h3>
    <p class="path">${hasGet ? 'POST or GET' : 'POST'} <code>${path}</code></p>
    ${renderText(post.description?.startsWith(post.summary.slice(0, -1)) === true ? post.description : `${post.summary}\n\n${post.description ?? ''}`)}
    ${post.security?.length === 0 && html`<p>Needs no token.</p>`}
    <h4>Request</h4>
    ${renderFields(resolve(input.schema, schemas), 'required')} ${renderExample(input.example)}
    <h4>Answer</h4>
    ${renderFields(resolve(output?.schema, schemas))} ${renderExample(output?.example)}
    <p>Errors: ${statuses.map((status) => html`<a href="#Error${status}">${status}</a> `)}</p>
  </article>`;
}

function readOutput({ responses }: Operation) {
  const done = responses['200'];
  return done !== undefined && 'content' in done ? done.content['application/json'] : undefined;
}

/** The names of the two types that a method takes and gives. */
function listReferences(post: Methods['post']): string[] {
  const schemas = [post.requestBody.content['application/json'].schema, readOutput(post)?.schema];
  return schemas.map((schema) => schema?.$ref?.replace(/^.*\//, '') ?? '');
}

function renderSchema(name: string, schema: JsonSchema | undefined): Html {
  return html`<article aria-labelledby="type-${name}">
    <h3 id="type-${name}">${name}</h3>
    ${renderText(schema?.description)} ${renderFields(schema)}
    ${
      schema?.enum !== undefined &&
      html`<p>One of ${schema.enum.map((value) => html`<code>${value}</code> `)}</p>`
    }
  </article>`;
}

function renderFields(schema: JsonSchema | undefined, mark?: string): Html | undefined {
  const fields = Object.entries(schema?.properties ?? {});
  if (fields.length === 0) return schema?.enum === undefined ? html`<p>No fields.</p>` : undefined;
  return html`<dl>
    ${fields.map(
      ([name, field]) =>
        html`<dt>
            <code>${name}</code> ${renderType(field)}
            ${schema?.required?.includes(name) === true && mark !== undefined && html`<em>${mark}</em>`}
          </dt>
          <dd>${renderText(field.description)}</dd>`,
    )}
  </dl>`;
}

function renderType(schema: JsonSchema): Html {
  const { $ref, type, items, additionalProperties, format } = schema;
  if ($ref !== undefined) {
    const name = $ref.replace(/^.*\//, '');
    return html`<a href="#type-${name}">${name}</a>`;
  }
  if (items !== undefined) return html`list of ${renderType(items)}`;
  if (additionalProperties !== undefined) return html`map to ${renderType(additionalProperties)}`;
  const limits = (['minLength', 'maxLength', 'minimum', 'maximum', 'minItems', 'maxItems'] as const)
    .filter((keyword) => schema[keyword] !== undefined)
    .map((keyword) => `, ${keyword} ${String(schema[keyword])}`);
  return html`${type ?? 'value'}${format !== undefined && ` (${format})`}${limits.join('')}`;
}

function renderExample(example: unknown): Html {
  return html`<details>
    <summary>Example</summary>
    <pre tabindex="0"><code>${JSON.stringify(example, null, 2)}</code></pre>
  </details>`;
}

function resolve(
  schema: JsonSchema | undefined,
  schemas: Readonly<Record<string, JsonSchema>>,
): JsonSchema | undefined {
  return schema?.$ref === undefined ? schema : schemas[schema.$ref.replace(/^.*\//, '')];
}

/** Paragraphs, lists and `code`, which is all that comments use of Markdown. */
function renderText(text: string | undefined): Html {
  const paragraphs = (text ?? '').split('\n\n').filter((paragraph) => paragraph.trim() !== '');
  return html`${paragraphs.map((paragraph) =>
    paragraph.startsWith('- ')
      ? html`<ul>
          ${paragraph
            .split(/^- /m)
            .slice(1)
            .map((item) => html`<li>${renderLine(item)}</li>`)}
        </ul>`
      : html`<p>${renderLine(paragraph)}</p>`,
  )}`;
}

function renderLine(line: string): Html {
  const parts = line.split('`');
  return html`${parts.map((part, index) =>
    index % 2 === 1 ? html`<code>${part}</code>` : html`${part}`,
  )}`;
}

/** Colours keep a contrast of 4.5:1, in light and dark (WCAG 2.2 §1.4.3). */
export const PAGE_STYLE = `:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --paper: #fff; --card: #f4f5f7; --line: #d0d7de; --accent: #0b57d0; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e8eb; --soft: #a9b1ba; --paper: #111418; --card: #1a1e24; --line: #3b434c; --accent: #8ab4f8; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 80rem; padding: 1rem; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
:target { scroll-margin-top: 1rem; }
.skip { position: absolute; left: -100vw; }
.skip:focus { left: 1rem; }
h1, h2, h3 { line-height: 1.25; text-wrap: balance; }
header, main p, main ul { max-width: 46rem; }
main section > h2 { margin-top: 3rem; }
article { border-top: 1px solid var(--line); padding: .5rem 0 1rem; }
h4 { margin: 1rem 0 .25rem; }
code, pre { font: .9em/1.4 ui-monospace, monospace; }
pre { margin: .5rem 0; padding: .75rem; overflow: auto; background: var(--card); border-radius: .5rem; }
.path, em { color: var(--soft); }
dl { margin: 0; }
dt { margin-top: .5rem; }
dd { margin: 0 0 0 1.5rem; }
dd > p { margin: 0; }
summary { cursor: pointer; color: var(--accent); }
nav h2 { margin: 1rem 0 .25rem; font-size: 1rem; }
nav ul { margin: 0; padding-left: 1rem; list-style: none; }
@media (min-width: 60rem) {
  body { display: grid; grid-template-columns: 18rem 1fr; gap: 0 2rem; }
  header { grid-column: 1 / -1; }
  nav { position: sticky; top: 0; height: 100vh; overflow: auto; padding: 0 .5rem 1rem 0; }
  main { min-width: 0; }
}
`;
