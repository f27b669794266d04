/** Owns forms that lie over the page until they are sent or left: what is typed is thrown away with them. */
import type { ReactNode } from 'react';
import { Dialog, DialogTrigger } from 'react-aria-components/Dialog';
import { Form } from 'react-aria-components/Form';
import { Heading } from 'react-aria-components/Heading';
import { Modal, ModalOverlay } from 'react-aria-components/Modal';

import { Button } from './button.tsx';
import type { ButtonKind } from './button.tsx';
import { ErrorNotice, readValidationErrors } from './error-notice.tsx';

export interface ModalFormProps {
  /** Of the button that opens it. */
  readonly trigger: string;
  readonly triggerKind?: ButtonKind;
  /** Where what stands around the button says to what it belongs, and a screen reader cannot know. */
  readonly triggerLabel?: string;
  readonly title: string;
  /** Of the button that sends it. */
  readonly action: string;
  /** It takes something away. */
  readonly isDangerous?: boolean;
  /** Fields, or what will happen. */
  readonly children: ReactNode;
  readonly isOpen: boolean;
  readonly onOpenChange: (isOpen: boolean) => void;
  readonly isPending: boolean;
  readonly error: unknown;
  /** Fields of the contract whose violations are shown at the fields. */
  readonly shownAtFields?: readonly string[];
  /** What to do about the error, where the page knows better than the server. */
  readonly advice?: ReactNode;
  readonly onSubmit: () => void;
}

export function ModalForm(props: ModalFormProps) {
  const { trigger, triggerKind = 'secondary', triggerLabel, title, action, children } = props;
  const { isDangerous = false, isOpen, onOpenChange, isPending, error, advice, onSubmit } = props;
  return (
    <DialogTrigger isOpen={isOpen} onOpenChange={onOpenChange}>
      <Button
        kind={triggerKind}
        {...(triggerLabel !== undefined && { 'aria-label': triggerLabel })}
      >
        {trigger}
      </Button>
      <ModalOverlay className="modal-overlay" isDismissable>
        <Modal className="modal">
          <Dialog className="dialog" {...(isDangerous && { role: 'alertdialog' })}>
            <Heading slot="title">{title}</Heading>
            <Form
              validationErrors={readValidationErrors(error)}
              onSubmit={(event) => {
                event.preventDefault();
                onSubmit();
              }}
            >
              {children}
              {error !== null && error !== undefined && (
                <ErrorNotice error={error} shownElsewhere={props.shownAtFields} />
              )}
              {advice}
              <div className="actions">
                <Button onPress={() => onOpenChange(false)}>Cancel</Button>
                <Button
                  kind={isDangerous ? 'danger' : 'primary'}
                  type="submit"
                  isPending={isPending}
                >
                  {action}
                </Button>
              </div>
            </Form>
          </Dialog>
        </Modal>
      </ModalOverlay>
    </DialogTrigger>
  );
}
