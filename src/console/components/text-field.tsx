/** Owns fields for text, with their label, what they are for, and what is wrong with them. */
import type { ReactNode } from 'react';
import { FieldError } from 'react-aria-components/FieldError';
import { Input } from 'react-aria-components/Input';
import { Label } from 'react-aria-components/Label';
import { Text } from 'react-aria-components/Text';
import { TextArea } from 'react-aria-components/TextArea';
import { TextField as AriaTextField } from 'react-aria-components/TextField';
import type { TextFieldProps as AriaTextFieldProps } from 'react-aria-components/TextField';

export interface TextFieldProps extends Omit<
  AriaTextFieldProps,
  'className' | 'style' | 'children'
> {
  readonly label: string;
  readonly description?: ReactNode;
  readonly placeholder?: string;
  /** More than one line. */
  readonly rows?: number;
  /** For what is no prose: ids, URLs, expressions. */
  readonly isCode?: boolean;
}

/**
 * The errors of a server are shown below it when it stands in a `Form` with `validationErrors`, under the field's
 * `name` in the contract.
 */
export function TextField(given: TextFieldProps) {
  const { label, description, placeholder, rows, isCode = false, ...props } = given;
  const look = {
    ...(placeholder !== undefined && { placeholder }),
    className: isCode ? 'code' : '',
    ...(isCode && { spellCheck: false, autoCapitalize: 'none', autoCorrect: 'off' }),
  };
  return (
    <AriaTextField {...props} className="field">
      <Label>
        {label}
        {props.isRequired !== true && <span className="note"> (optional)</span>}
      </Label>
      {rows === undefined ? <Input {...look} /> : <TextArea {...look} rows={rows} />}
      {description !== undefined && (
        <Text slot="description" className="note">
          {description}
        </Text>
      )}
      <FieldError className="field-error" />
    </AriaTextField>
  );
}
