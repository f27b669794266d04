/** Owns making files durable, and their names: those are only when the folder that holds them is synchronized. */
import { open } from 'node:fs/promises';

export async function syncFile(file: string): Promise<void> {
  await syncPath(file, 'r+');
}

export async function syncFolder(folder: string): Promise<void> {
  await syncPath(folder, 'r');
}

async function syncPath(path: string, flags: 'r' | 'r+'): Promise<void> {
  const handle = await open(path, flags);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
