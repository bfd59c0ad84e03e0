/** A packet of MySQL's protocol; one that is too long for one comes in several. */
export function packetsOf(payload: Buffer, sequence: number): Buffer[] {
  const packets: Buffer[] = [];
  for (let at = 0; ; at += 0xffffff) {
    const part = payload.subarray(at, at + 0xffffff);
    const header = Buffer.alloc(4);
    header.writeUIntLE(part.length, 0, 3);
    header[3] = (sequence + packets.length) % 256;
    packets.push(header, part);
    if (part.length < 0xffffff) return packets;
  }
}

/** A value of the text protocol. */
export function valueOf(text: string | null): Buffer {
  if (text === null) return Buffer.from([0xfb]);
  const bytes = Buffer.from(text);
  if (bytes.length < 0xfb) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const head = Buffer.alloc(9, 0xfe);
  head.writeBigUInt64LE(BigInt(bytes.length), 1);
  if (bytes.length > 0xffffff) return Buffer.concat([head, bytes]);
  const short = Buffer.alloc(bytes.length > 0xffff ? 4 : 3, bytes.length > 0xffff ? 0xfd : 0xfc);
  short.writeUIntLE(bytes.length, 1, short.length - 1);
  return Buffer.concat([short, bytes]);
}

/** The packets of rows alone, as they follow on `columns` that were told before. */
export function wireOf(rows: readonly (readonly (string | null)[])[], columns: number): Buffer {
  let sequence = columns + 3;
  const all: Buffer[] = [];
  for (const row of rows) {
    const packets = packetsOf(Buffer.concat(row.map(valueOf)), sequence);
    sequence += packets.length / 2;
    all.push(...packets);
  }
  return Buffer.concat(all);
}
