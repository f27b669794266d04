/** Owns the end of a list that goes on. */
import { Button } from './button.tsx';
import { ErrorNotice } from './error-notice.tsx';

export interface ShowMoreProps {
  readonly list: {
    readonly hasNextPage: boolean;
    readonly isFetchingNextPage: boolean;
    readonly isFetchNextPageError: boolean;
    readonly error: unknown;
    readonly fetchNextPage: () => Promise<unknown>;
  };
}

export function ShowMore({ list }: ShowMoreProps) {
  if (!list.hasNextPage) return null;
  return (
    <div className="more">
      {list.isFetchNextPageError && <ErrorNotice error={list.error} />}
      <Button isPending={list.isFetchingNextPage} onPress={() => void list.fetchNextPage()}>
        Show more
      </Button>
    </div>
  );
}
