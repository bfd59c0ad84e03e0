import type { Socket } from 'node:net';
import { HELD_BYTES } from './relay.js';
import type { Slab } from './slabs.js';

export type Piece = string | Slab;

/** The way of an answer's pieces to the client: held back at first where somebody else may still answer. */
export type Outlet = {
  /** Holds the pieces, or sends them. False when the client does not keep up. */
  put(pieces: readonly Piece[]): boolean;
  /** Holds from here on. */
  hold(): void;
  /** Lets out what is held, these pieces behind it; nothing is held from here on. */
  release(pieces?: readonly Piece[]): boolean;
  /** The head of the answer has gone to the client. */
  begun(): boolean;
};

export function createOutlet(client: Socket, hold: boolean): Outlet {
  let held: Piece[] | undefined = hold ? [] : undefined;
  let heldBytes = 0;
  let begun = false;

  const write = (pieces: readonly Piece[]): boolean => {
    if (pieces.length === 0) return true;
    begun = true;
    let text = '';
    let isCorked = false;
    for (const piece of pieces)
      if (typeof piece === 'string') text += piece;
      else {
        if (!isCorked && pieces.length > 1) client.cork();
        isCorked = true;
        if (text !== '') client.write(text, 'latin1');
        text = '';
        client.write(piece.bytes, piece.release);
      }
    if (text !== '') client.write(text, 'latin1');
    if (isCorked) client.uncork();
    return !client.writableNeedDrain;
  };
  const release = (pieces: readonly Piece[] = []): boolean => {
    const all = held === undefined || held.length === 0 ? pieces : [...held, ...pieces];
    held = undefined;
    return write(all);
  };
  return {
    put(pieces) {
      if (!held) return write(pieces);
      for (const piece of pieces) {
        held.push(piece);
        heldBytes += typeof piece === 'string' ? piece.length : piece.bytes.length;
      }
      return heldBytes < HELD_BYTES || release();
    },
    hold: () => void (held ??= []),
    release,
    begun: () => begun,
  };
}
