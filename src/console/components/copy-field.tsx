/** Owns text that is to be copied, character for character, with the button that does it. */
import { useId, useState } from 'react';

import { Button } from './button.tsx';

export function CopyField({ label, value }: { readonly label: string; readonly value: string }) {
  const [state, setState] = useState<'idle' | 'copied' | 'failed'>('idle');
  const id = useId();
  return (
    <div className="copy">
      <span className="label" id={id}>
        {label}
      </span>
      <div className="copy-row">
        <code aria-labelledby={id}>{value}</code>
        <Button
          aria-label={`Copy: ${label}`}
          onPress={() => {
            copy(value).then(
              () => setState('copied'),
              () => setState('failed'),
            );
          }}
        >
          {state === 'copied' ? 'Copied' : 'Copy'}
        </Button>
      </div>
      <output className="note">
        {state === 'copied' && 'Copied to the clipboard.'}
        {state === 'failed' && 'The browser did not allow it: select the text and copy it.'}
      </output>
    </div>
  );
}

/** Browsers have no clipboard for pages over plain http to another machine. */
async function copy(value: string): Promise<void> {
  if (!('clipboard' in navigator)) throw new Error('There is no clipboard.');
  await navigator.clipboard.writeText(value);
}
