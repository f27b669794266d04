/**
 * Owns how the code editor looks and what it marks. Its styles are adopted by the shadow root around it, because the
 * page's policy forbids style elements; colours come from the page through its custom properties.
 */
import { HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { StateEffect, StateField } from '@codemirror/state';
import type { Extension, Text } from '@codemirror/state';
import { Decoration, EditorView, showPanel } from '@codemirror/view';
import type { DecorationSet, Panel } from '@codemirror/view';
import { tags } from '@lezer/highlight';

/** A place in the text, from 1; the column in UTF-16 code units. */
export interface CodeProblem {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

export const THEME: Extension = [
  EditorView.theme({
    '&': { color: 'var(--ink)', background: 'var(--card)', borderRadius: '0.5rem' },
    '&.cm-editor.cm-focused': { outline: '3px solid var(--accent)', outlineOffset: '2px' },
    '.cm-scroller': { fontFamily: 'ui-monospace, monospace', lineHeight: '1.5' },
    '.cm-content': { padding: '0.6rem 0', caretColor: 'var(--ink)' },
    '.cm-line': { padding: '0 0.75rem' },
    '.cm-gutters': {
      color: 'var(--soft)',
      background: 'var(--paper)',
      border: 'none',
      borderRadius: '0.5rem 0 0 0.5rem',
    },
    '.cm-placeholder': { color: 'var(--soft)' },
    '&.cm-focused .cm-matchingBracket': {
      background: 'var(--accent-tint)',
      outline: '1px solid var(--accent)',
    },
    '.cm-problem': {
      textDecoration: 'underline wavy var(--wrong) 1.5px',
      background: 'var(--wrong-tint)',
    },
    '.cm-panels': {
      color: 'var(--wrong)',
      background: 'var(--wrong-tint)',
      borderRadius: '0 0 0.5rem 0.5rem',
    },
    '.cm-panels.cm-panels-bottom': { borderTop: 'none' },
    '.cm-problem-text': { fontWeight: '600', overflowWrap: 'anywhere' },
    '.cm-problem-text:not(:empty)': { padding: '0.4rem 0.75rem' },
  }),
  syntaxHighlighting(
    HighlightStyle.define([
      { tag: [tags.keyword, tags.bool, tags.null], color: 'var(--code-word)', fontWeight: '600' },
      { tag: tags.string, color: 'var(--code-text)' },
      { tag: tags.number, color: 'var(--code-number)' },
      { tag: tags.function(tags.variableName), color: 'var(--code-function)' },
      { tag: tags.special(tags.variableName), color: 'var(--code-name)', fontWeight: '600' },
      { tag: tags.propertyName, color: 'var(--code-name)' },
      { tag: tags.comment, color: 'var(--soft)', fontStyle: 'italic' },
      { tag: tags.invalid, color: 'var(--wrong)' },
    ]),
  ),
];

/**
 * Chromium gives what is typed over a selection the look of what was there, as an inline style, and complains that the
 * page's policy forbids it. So we put it there ourselves.
 */
export const REPLACEMENTS: Extension = EditorView.domEventHandlers({
  beforeinput(event, view) {
    const { inputType, data, isComposing } = event;
    const isTyped = inputType === 'insertText' || inputType === 'insertReplacementText';
    if (!isTyped || data === null || isComposing || view.state.readOnly) return false;
    const { from, to } = readSelection(view);
    if (from === to) return false;
    view.dispatch({
      changes: { from, to, insert: data },
      selection: { anchor: from + data.length },
      userEvent: 'input.type',
      scrollIntoView: true,
    });
    event.preventDefault();
    return true;
  },
});

interface SelectingRoot {
  /** Chromium's own; others tell of what is in shadow roots by the document. */
  readonly getSelection?: () => Selection | null;
}

/** The editor may not have heard yet of what has just been selected. */
function readSelection(view: EditorView): { readonly from: number; readonly to: number } {
  const root: DocumentOrShadowRoot & SelectingRoot = view.root;
  const { anchorNode, anchorOffset, focusNode, focusOffset } = root.getSelection?.() ?? {};
  if (anchorNode == null || focusNode == null || !view.contentDOM.contains(anchorNode))
    return view.state.selection.main;
  const anchor = view.posAtDOM(anchorNode, anchorOffset);
  const head = view.posAtDOM(focusNode, focusOffset);
  return { from: Math.min(anchor, head), to: Math.max(anchor, head) };
}

/** Marks another place, or none. */
export const setProblem = StateEffect.define<CodeProblem | undefined>();

const problemField = StateField.define<CodeProblem | undefined>({
  create: () => undefined,
  update(problem, transaction) {
    for (const effect of transaction.effects) if (effect.is(setProblem)) return effect.value;
    return problem;
  },
});

const markField = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, transaction) {
    for (const effect of transaction.effects) {
      if (effect.is(setProblem)) return markProblem(transaction.newDoc, effect.value);
    }
    return marks.map(transaction.changes);
  },
  provide: (field) => EditorView.decorations.from(field),
});

const MARK = Decoration.mark({ class: 'cm-problem' });
const POINT = /^(?:[A-Za-z_]\w*|\d+|.)/u;

/** The word at the place; at the end of the text, what is before it. */
function markProblem(text: Text, problem: CodeProblem | undefined): DecorationSet {
  if (problem === undefined || text.length === 0) return Decoration.none;
  const line = text.line(Math.min(Math.max(problem.line, 1), text.lines));
  const from = Math.min(line.from + Math.max(problem.column - 1, 0), line.to);
  const [word = ''] = POINT.exec(text.sliceString(from, line.to)) ?? [];
  if (word !== '') return Decoration.set(MARK.range(from, from + word.length));
  return from === 0 ? Decoration.none : Decoration.set(MARK.range(from - 1, from));
}

/** Within the editor, because nothing outside of a shadow root can describe what is inside. */
const PROBLEM_ID = 'problem';

function createProblemPanel(view: EditorView): Panel {
  const dom = document.createElement('div');
  dom.id = PROBLEM_ID;
  dom.className = 'cm-problem-text';
  dom.setAttribute('role', 'status');
  const show = (problem: CodeProblem | undefined): void => {
    const text =
      problem === undefined
        ? ''
        : `Line ${problem.line}, column ${problem.column}: ${problem.message}`;
    if (dom.textContent !== text) dom.textContent = text;
  };
  show(view.state.field(problemField));
  return { dom, update: ({ state }) => show(state.field(problemField)) };
}

export const PROBLEMS: Extension = [
  problemField,
  markField,
  showPanel.of(createProblemPanel),
  EditorView.contentAttributes.compute([problemField], (state): Record<string, string> =>
    state.field(problemField) === undefined
      ? {}
      : { 'aria-invalid': 'true', 'aria-describedby': PROBLEM_ID },
  ),
];
