/** Owns an operator's way to another organization, by its id: there is no list of all. */
import { useState } from 'react';
import { Button as AriaButton } from 'react-aria-components/Button';
import { Dialog, DialogTrigger } from 'react-aria-components/Dialog';
import { Form } from 'react-aria-components/Form';
import { Heading } from 'react-aria-components/Heading';
import { Popover } from 'react-aria-components/Popover';

import { useWorkplace } from '../organization.tsx';
import { useNavigateOutside } from './use-navigate-outside.ts';
import { Button } from './button.tsx';
import { TextField } from './text-field.tsx';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function OrganizationSwitcher() {
  const { isForeign, organizationId } = useWorkplace();
  const navigate = useNavigateOutside();
  const [isOpen, setOpen] = useState(false);
  const [typed, setTyped] = useState('');
  const go = (path: string): void => {
    setOpen(false);
    setTyped('');
    navigate(path);
  };
  return (
    <DialogTrigger isOpen={isOpen} onOpenChange={setOpen}>
      <AriaButton className="button quiet">Switch organization</AriaButton>
      <Popover className="popover" placement="bottom start">
        <Dialog className="dialog">
          <Heading slot="title">Switch organization</Heading>
          <p className="note">
            You are in <code>{organizationId}</code>.
          </p>
          <Form
            onSubmit={(event) => {
              event.preventDefault();
              go(`/organizations/${typed.trim()}/`);
            }}
          >
            <TextField
              label="Organization id"
              name="organization_id"
              value={typed}
              onChange={setTyped}
              isRequired
              isCode
              validate={(value) =>
                UUID.test(value.trim())
                  ? null
                  : 'An id such as 0190f3b2-7c1e-7000-8000-000000000000.'
              }
            />
            <div className="actions">
              <Button kind="primary" type="submit">
                Switch
              </Button>
              {isForeign && <Button onPress={() => go('/')}>Back to my own</Button>}
            </div>
          </Form>
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}
