// The binary form of MySQL's JSON documents (`json_binary.h` of the server) as the very text that the server prints. The log's reader has a decoder of its
// own, but it makes "12.50" of a DECIMAL, 1 of 1.0, and puts keys that look like numbers first.
import { printDouble } from './print-double.js';

const LITERALS = ['null', 'true', 'false'];
const [DATE, TIME, DATETIME, TIMESTAMP, DECIMAL] = [10, 11, 12, 7, 246];
const two = (part: bigint | number): string => String(part).padStart(2, '0');

/** Throws when the bytes are not a document. */
export function printJson(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // What an INSERT IGNORE of no document into a NOT NULL column leaves.
  return buffer.length === 0 ? 'null' : printed(buffer.readUInt8(0), buffer.subarray(1));
}

/** `data` begins at the value. */
function printed(type: number, data: Buffer): string {
  switch (type) {
    case 0:
    case 1:
      return printObject(data, type === 1);
    case 2:
    case 3:
      return printArray(data, type === 3);
    case 4:
      return LITERALS[data.readUInt8(0)] as string;
    case 5:
      return String(data.readInt16LE(0));
    case 6:
      return String(data.readUInt16LE(0));
    case 7:
      return String(data.readInt32LE(0));
    case 8:
      return String(data.readUInt32LE(0));
    case 9:
      return String(data.readBigInt64LE(0));
    case 10:
      return String(data.readBigUInt64LE(0));
    case 11: {
      const text = printDouble(data.readDoubleLE(0));
      return /^-?\d+$/.test(text) ? `${text}.0` : text;
    }
    case 12:
      return JSON.stringify(lengthened(data).toString('utf8'));
    case 15:
      return printOpaque(data.readUInt8(0), lengthened(data.subarray(1)));
    default:
      throw new Error(`a JSON document has a value of the unknown type ${type}`);
  }
}

/** Bytes behind a length of seven bits a byte, the lowest first. */
function lengthened(data: Buffer): Buffer {
  let [length, at] = [0, 0];
  for (let shift = 1; ; shift *= 128) {
    const byte = data.readUInt8(at++);
    length += (byte & 127) * shift;
    if (byte < 128) return data.subarray(at, at + length);
  }
}

/** What is small enough stands where the place of the others does. */
function member(data: Buffer, entry: number, isLarge: boolean): string {
  const type = data.readUInt8(entry);
  const isInline = (type >= 4 && type <= 6) || (isLarge && (type === 7 || type === 8));
  return printed(type, data.subarray(isInline ? entry + 1 : readNumber(data, entry + 1, isLarge)));
}

const readNumber = (data: Buffer, at: number, isLarge: boolean): number =>
  isLarge ? data.readUInt32LE(at) : data.readUInt16LE(at);

function printArray(data: Buffer, isLarge: boolean): string {
  const width = isLarge ? 4 : 2;
  const items = Array.from({ length: readNumber(data, 0, isLarge) }, (_, index) =>
    member(data, 2 * width + index * (1 + width), isLarge),
  );
  return `[${items.join(', ')}]`;
}

function printObject(data: Buffer, isLarge: boolean): string {
  const width = isLarge ? 4 : 2;
  const count = readNumber(data, 0, isLarge);
  const values = 2 * width + count * (width + 2);
  const members = Array.from({ length: count }, (_, index) => {
    const entry = 2 * width + index * (width + 2);
    const start = readNumber(data, entry, isLarge);
    const key = data.toString('utf8', start, start + data.readUInt16LE(entry + width));
    return `${JSON.stringify(key)}: ${member(data, values + index * (1 + width), isLarge)}`;
  });
  return `{${members.join(', ')}}`;
}

/** Values of the server's own types. */
function printOpaque(type: number, data: Buffer): string {
  if (type === DECIMAL) return printDecimal(data);
  if (type === DATE || type === TIME || type === DATETIME || type === TIMESTAMP)
    return `"${printTime(type, data.readBigInt64LE(0))}"`;
  // Broken into lines by the server's own encoder.
  const lines = data.toString('base64').match(/.{1,76}/g) ?? [];
  return JSON.stringify(`base64:type${type}:${lines.join('\n')}`);
}

/** A packed moment: year and month in thirteens, day, hour, minute, second, and 24 bits of microseconds. */
function printTime(type: number, packed: bigint): string {
  const size = packed < 0n ? -packed : packed;
  const [whole, micros] = [size >> 24n, String(size & 0xffffffn).padStart(6, '0')];
  const clock = `${two((whole >> 6n) & 63n)}:${two(whole & 63n)}.${micros}`;
  if (type === TIME) return `${packed < 0n ? '-' : ''}${two((whole >> 12n) & 1023n)}:${clock}`;
  const month = whole >> 22n;
  const date = `${String(month / 13n).padStart(4, '0')}-${two(month % 13n)}-${two((whole >> 17n) & 31n)}`;
  return type === DATE ? date : `${date} ${two((whole >> 12n) & 31n)}:${clock}`;
}

/** Bytes that hold as many decimal digits as their index; nine digits take four. */
const BYTES_OF = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4];

/** Precision, scale, and groups of nine digits, the odd ones outside; the first bit is set for what is not negative, else all bits are flipped (`decimal2bin`). */
function printDecimal(data: Buffer): string {
  const [precision, scale] = [data.readUInt8(0), data.readUInt8(1)];
  const body = Buffer.from(data.subarray(2));
  const isNegative = (body.readUInt8(0) & 0x80) === 0;
  body[0] = body.readUInt8(0) ^ 0x80;
  if (isNegative) for (const [index, byte] of body.entries()) body[index] = byte ^ 0xff;
  let at = 0;
  const group = (digits: number): string => {
    const size = BYTES_OF[digits] as number;
    if (size === 0) return '';
    at += size;
    return String(body.readUIntBE(at - size, size)).padStart(digits, '0');
  };
  const groups = (count: number): string => Array.from({ length: count }, () => group(9)).join('');
  const whole = precision - scale;
  const digits = group(whole % 9) + groups(Math.floor(whole / 9));
  const fraction = groups(Math.floor(scale / 9)) + group(scale % 9);
  return `${isNegative ? '-' : ''}${digits.replace(/^0+(?=\d)/, '') || '0'}${scale > 0 ? `.${fraction}` : ''}`;
}
