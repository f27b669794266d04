/** Owns the choice of one of a few. It is the browser's own, which every keyboard and screen reader knows. */
import { useId } from 'react';

export interface SelectFieldProps<Value extends string> {
  readonly label: string;
  /** In their order; the first element is the value, the second what is read. */
  readonly options: readonly (readonly [value: Value, text: string])[];
  readonly value: Value;
  readonly onChange: (value: Value) => void;
  readonly isDisabled?: boolean;
  /** The label is for screen readers alone, where what stands around says it. */
  readonly isLabelHidden?: boolean;
}

export function SelectField<Value extends string>(props: SelectFieldProps<Value>) {
  const { label, options, value, onChange, isDisabled = false, isLabelHidden = false } = props;
  const id = useId();
  return (
    <div className={isLabelHidden ? 'select' : 'field select'}>
      <label htmlFor={id} className={isLabelHidden ? 'visually-hidden' : 'label'}>
        {label}
      </label>
      <select
        id={id}
        value={value}
        disabled={isDisabled}
        onChange={({ target }) => {
          const chosen = options.find(([candidate]) => candidate === target.value);
          if (chosen !== undefined) onChange(chosen[0]);
        }}
      >
        {options.map(([candidate, text]) => (
          <option key={candidate} value={candidate}>
            {text}
          </option>
        ))}
      </select>
    </div>
  );
}
