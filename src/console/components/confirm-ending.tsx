/** Owns the question before something ends, and what the page does when it has. */
import type { DescMessage, DescMethodUnary, MessageInitShape } from '@bufbuild/protobuf';
import { useMutation } from '@connectrpc/connect-query';
import { useState } from 'react';
import type { ReactNode } from 'react';

import type { ButtonKind } from './button.tsx';
import { focusHeading } from './focus-heading.ts';
import { ModalForm } from './modal-form.tsx';

export interface ConfirmEndingProps<Input extends DescMessage, Output extends DescMessage> {
  /** Of the button that asks, and of the one that does it, such as `Delete`. */
  readonly action: string;
  readonly triggerKind?: ButtonKind;
  /** What ends. */
  readonly name: string;
  readonly title: string;
  readonly method: DescMethodUnary<Input, Output>;
  readonly request: MessageInitShape<Input>;
  /** Reads again what is shown, and says what was done. */
  readonly onDone: () => Promise<void>;
  /** What to do about the error, where the page knows better than the server. */
  readonly advise?: (error: unknown) => ReactNode;
  /** What will happen. */
  readonly children: ReactNode;
}

export function ConfirmEnding<Input extends DescMessage, Output extends DescMessage>(
  props: ConfirmEndingProps<Input, Output>,
) {
  const { action, triggerKind, name, title, method, request, onDone, advise, children } = props;
  const [isOpen, setOpen] = useState(false);
  const ending = useMutation(method, {
    onSuccess: async () => {
      setOpen(false);
      await onDone();
      // The button that was pressed may be gone.
      focusHeading();
    },
  });
  return (
    <ModalForm
      trigger={`${action}…`}
      {...(triggerKind !== undefined && { triggerKind })}
      triggerLabel={`${action} ${name}…`}
      title={title}
      action={action}
      isDangerous
      isOpen={isOpen}
      onOpenChange={(open) => {
        ending.reset();
        setOpen(open);
      }}
      isPending={ending.isPending}
      error={ending.error}
      advice={advise?.(ending.error)}
      onSubmit={() => ending.mutate(request)}
    >
      {children}
    </ModalForm>
  );
}
