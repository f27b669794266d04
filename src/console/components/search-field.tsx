/** Owns the field that narrows a list while one types. */
import { useId } from 'react';

export interface SearchFieldProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly placeholder: string;
  /** In characters. */
  readonly maxLength: number;
}

export function SearchField({ label, value, onChange, ...look }: SearchFieldProps) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id} className="label">
        {label}
      </label>
      <input
        {...look}
        id={id}
        type="search"
        value={value}
        onChange={({ target }) => onChange(target.value)}
        autoComplete="off"
        spellCheck={false}
      />
    </div>
  );
}
