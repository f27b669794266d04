/** Owns the editor for expressions and claims, as a field that holds a text. Load it lazily: it is the largest part. */
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { bracketMatching } from '@codemirror/language';
import { EditorState } from '@codemirror/state';
import { EditorView, keymap, lineNumbers, placeholder } from '@codemirror/view';
import { useEffect, useEffectEvent, useRef } from 'react';

import { PROBLEMS, REPLACEMENTS, setProblem, THEME } from './code-editor-extensions.ts';
import type { CodeProblem } from './code-editor-extensions.ts';
import { LANGUAGES } from './code-languages.ts';
import type { CodeLanguage } from './code-languages.ts';

export interface CodeEditorProps {
  /** For screen readers; what is seen stands above it. */
  readonly label: string;
  readonly language: CodeLanguage;
  readonly value: string;
  readonly onChange: (value: string) => void;
  /** Marked in the text, and told below it. */
  readonly problem?: CodeProblem | undefined;
  readonly placeholder?: string;
  readonly isReadOnly?: boolean;
}

/** The Tab key leaves it, as it leaves any field. */
export function CodeEditor(props: CodeEditorProps) {
  const { value, problem } = props;
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const tellChange = useEffectEvent((text: string) => props.onChange(text));
  const create = useEffectEvent((element: HTMLElement, onChange: (text: string) => void) =>
    createView(element, { ...props, onChange }),
  );
  useEffect(() => {
    if (host.current === null) return;
    const created = create(host.current, (text) => tellChange(text));
    view.current = created;
    return () => created.destroy();
  }, []);
  useEffect(() => {
    const text = view.current?.state.doc.toString();
    if (text === undefined || text === value) return;
    view.current?.dispatch({ changes: { from: 0, to: text.length, insert: value } });
  }, [value]);
  const { line, column, message } = problem ?? {};
  useEffect(() => {
    const told =
      line === undefined || column === undefined || message === undefined
        ? undefined
        : { line, column, message };
    view.current?.dispatch({ effects: setProblem.of(told) });
  }, [line, column, message]);
  return <div className="code-editor" ref={host} />;
}

function createView(element: HTMLElement, props: CodeEditorProps): EditorView {
  const { label, language, value, onChange, isReadOnly = false } = props;
  const root = element.shadowRoot ?? element.attachShadow({ mode: 'open' });
  const view = new EditorView({
    // Styles are then adopted, and no style element is made, which the policy would refuse.
    root,
    doc: value,
    extensions: [
      LANGUAGES[language],
      lineNumbers(),
      history(),
      bracketMatching(),
      EditorView.lineWrapping,
      keymap.of([...defaultKeymap, ...historyKeymap]),
      placeholder(props.placeholder ?? ''),
      EditorState.readOnly.of(isReadOnly),
      EditorView.contentAttributes.of({
        'aria-label': label,
        ...(isReadOnly && { 'aria-readonly': 'true' }),
      }),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) onChange(update.state.doc.toString());
      }),
      REPLACEMENTS,
      THEME,
      PROBLEMS,
    ],
  });
  root.append(view.dom);
  return view;
}
