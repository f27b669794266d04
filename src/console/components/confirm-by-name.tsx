/** Owns the question before something is lost for good: its name has to be typed. */
import { useState } from 'react';
import type { ReactNode } from 'react';
import { Dialog, DialogTrigger } from 'react-aria-components/Dialog';
import { Form } from 'react-aria-components/Form';
import { Heading } from 'react-aria-components/Heading';
import { Modal, ModalOverlay } from 'react-aria-components/Modal';

import { Button } from './button.tsx';
import { ErrorNotice } from './error-notice.tsx';
import { TextField } from './text-field.tsx';

export interface ConfirmByNameProps {
  /** Of the button that asks, and of the one that does it, such as `Delete`. */
  readonly action: string;
  readonly title: string;
  /** To be typed. */
  readonly name: string;
  /** What will be lost. */
  readonly children: ReactNode;
  readonly isPending: boolean;
  readonly error: unknown;
  readonly onConfirm: () => void;
}

export function ConfirmByName(props: ConfirmByNameProps) {
  const { action, title, name, children, isPending, error, onConfirm } = props;
  const [typed, setTyped] = useState('');
  return (
    <DialogTrigger onOpenChange={() => setTyped('')}>
      <Button kind="danger">{action}…</Button>
      <ModalOverlay className="modal-overlay" isDismissable>
        <Modal className="modal">
          <Dialog className="dialog" role="alertdialog">
            {({ close }) => (
              <>
                <Heading slot="title">{title}</Heading>
                {children}
                <Form
                  onSubmit={(event) => {
                    event.preventDefault();
                    if (typed === name) onConfirm();
                  }}
                >
                  <TextField
                    label={`To confirm, type ${name}`}
                    value={typed}
                    onChange={setTyped}
                    isRequired
                    isCode
                    autoComplete="off"
                    validate={(value) =>
                      value === name ? null : `Type ${name}, letter by letter.`
                    }
                  />
                  {error !== null && <ErrorNotice error={error} />}
                  <div className="actions">
                    <Button onPress={close}>Cancel</Button>
                    <Button kind="danger" type="submit" isPending={isPending}>
                      {action}
                    </Button>
                  </div>
                </Form>
              </>
            )}
          </Dialog>
        </Modal>
      </ModalOverlay>
    </DialogTrigger>
  );
}
