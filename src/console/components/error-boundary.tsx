/** Owns what is shown where a page itself fails, so that the rest stays. */
import { Component } from 'react';
import type { ReactNode } from 'react';

import { Button } from './button.tsx';

interface State {
  readonly error: Error | undefined;
}

export class ErrorBoundary extends Component<{ readonly children: ReactNode }, State> {
  override state: State = { error: undefined };

  static getDerivedStateFromError(error: unknown): State {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override render() {
    if (this.state.error === undefined) return this.props.children;
    return (
      <div className="notice wrong" role="alert">
        <h2>This page does not work</h2>
        <p>
          That is a failing of the console, or a new version of it was installed meanwhile. Load the
          page again. If that does not help, tell the operator of this server what is written here.
        </p>
        <p>
          <code>{this.state.error.message}</code>
        </p>
        <Button kind="primary" onPress={() => location.reload()}>
          Load again
        </Button>
      </div>
    );
  }
}
