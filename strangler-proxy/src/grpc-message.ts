import type { Enum, Field, Type } from 'protobufjs';
import { parseJson } from './parse-json.js';

/** JSON that does not fit a message; the text names the field and is told to the client. */
export class FieldInvalid extends Error {
  override readonly name = 'FieldInvalid';
}

type Fields = Record<string, unknown>;
const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** protobufjs calls fields in lowerCamelCase, as JSON does; a proto's own spelling is understood as well. */
export const fieldOf = (type: Type, name: string): Field | undefined => {
  const camel = name.replaceAll(/_([a-z\d])/gi, (_all, letter: string) => letter.toUpperCase());
  return Object.hasOwn(type.fields, camel) ? type.fields[camel] : undefined;
};

/**
 * What a message is made of, from its JSON (ProtoJSON, protobuf.dev/programming-guides/json). Fields the message does not have
 * are left out, as a JSON service leaves out what it does not know. Texts of a query stand for numbers and booleans, too.
 */
export function toMessage(type: Type, json: unknown, at = ''): Fields {
  if (!isFields(json)) throw new FieldInvalid(`"${at || type.name}" is not an object`);
  const message: Fields = {};
  for (const [name, value] of Object.entries(json)) {
    const field = fieldOf(type, name)?.resolve();
    if (!field || value === null || value === undefined) continue;
    const place = at === '' ? name : `${at}.${name}`;
    if (field.map) {
      if (!isFields(value)) throw new FieldInvalid(`"${place}" is not an object`);
      message[field.name] = Object.fromEntries(
        Object.entries(value).map(([key, item]) => [key, toValue(field, item, `${place}.${key}`)]),
      );
    } else if (field.repeated)
      message[field.name] = (Array.isArray(value) ? value : [value]).map((item) =>
        toValue(field, item, place),
      );
    else message[field.name] = toValue(field, Array.isArray(value) ? value.at(-1) : value, place);
  }
  return message;
}

function toValue({ type, resolvedType }: Field, value: unknown, at: string): unknown {
  if (resolvedType && 'values' in resolvedType) return toEnum(resolvedType, value, at);
  if (resolvedType) return wellKnown(resolvedType)?.in(value, at) ?? toMessage(resolvedType, value, at);
  const text = typeof value === 'string' ? value : undefined;
  switch (type) {
    case 'string':
      if (text !== undefined) return text;
      break;
    case 'bytes':
      // ProtoJSON takes base64 and base64url, padded or not; so does Buffer.
      if (text !== undefined) return Buffer.from(text, 'base64');
      break;
    case 'bool':
      if (typeof value === 'boolean') return value;
      if (text === 'true' || text === 'false') return text === 'true';
      break;
    case 'float':
    case 'double':
      if (typeof value === 'number') return value;
      if (typeof value === 'bigint') return Number(value);
      if (text !== undefined && /^(?:-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|NaN|-?Infinity)$/i.test(text))
        return Number(text);
      break;
    default:
      return toInteger(type, String(value), at);
  }
  throw new FieldInvalid(`"${at}" is not of type ${type}`);
}

/** The smallest and the largest of each kind of integer. */
function toInteger(type: string, text: string, at: string): string | number {
  const isLong = type.endsWith('64');
  const isUnsigned = type.startsWith('u') || type.startsWith('fixed');
  const bits = BigInt(isLong ? 64 : 32);
  const [least, most] = isUnsigned ? [0n, 2n ** bits - 1n] : [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n];
  if (!/^-?\d{1,20}$/.test(text) || BigInt(text) < least || BigInt(text) > most)
    throw new FieldInvalid(`"${at}" is not of type ${type}`);
  return isLong ? text : Number(text);
}

function toEnum({ values, name }: Enum, value: unknown, at: string): number {
  if (typeof value === 'string' && Object.hasOwn(values, value)) return values[value] as number;
  if (/^-?\d{1,10}$/.test(String(value))) return Number(value);
  throw new FieldInvalid(`"${at}" is not one of ${name}`);
}

/** Sets one field of a message's JSON by its path, for parameters; a second value makes a list. False: there is no such field. */
export function setField(type: Type, json: Fields, path: string, value: unknown, adds = false): boolean {
  const [name = '', ...rest] = path.split('.');
  const field = fieldOf(type, name)?.resolve();
  if (!field) return false;
  if (rest.length > 0) {
    if (!field.resolvedType || !('fields' in field.resolvedType) || field.repeated) return false;
    const inner = isFields(json[field.name]) ? (json[field.name] as Fields) : {};
    if (!setField(field.resolvedType, inner, rest.join('.'), value, adds)) return false;
    json[field.name] = inner;
    return true;
  }
  const before = json[field.name];
  json[field.name] = adds && field.repeated && before !== undefined ? [...[before].flat(), value] : value;
  return true;
}

/** The JSON of a decoded message: 64-bit integers and bytes as texts, enums by name, fields that are not set left out or by default. */
export function fromMessage(type: Type, message: unknown, defaults: boolean): unknown {
  const plain = type.toObject(message as never, {
    longs: String,
    enums: String,
    bytes: String,
    json: true,
    defaults,
  });
  return tidy(type, plain);
}

function tidy(type: Type, fields: Fields): unknown {
  const known = wellKnown(type);
  if (known) return known.out(fields);
  for (const { name, resolvedType, repeated, map } of type.fieldsArray) {
    const value = fields[name];
    // ProtoJSON has no null for a message that is not set.
    if (value === null) delete fields[name];
    if (value === undefined || value === null || !resolvedType || !('fields' in resolvedType)) continue;
    const inner = resolvedType;
    if (repeated) fields[name] = (value as Fields[]).map((item) => tidy(inner, item));
    else if (map)
      fields[name] = Object.fromEntries(
        Object.entries(value as Record<string, Fields>).map(([key, item]) => [key, tidy(inner, item)]),
      );
    else fields[name] = tidy(inner, value as Fields);
  }
  return fields;
}

type WellKnown = {
  readonly in: (json: unknown, at: string) => Fields;
  readonly out: (fields: Fields) => unknown;
};

/** Messages that ProtoJSON writes in a way of their own. */
function wellKnown(type: Type): WellKnown | undefined {
  switch (type.fullName) {
    case '.google.protobuf.Timestamp':
      return { in: timestampIn, out: timestampOut };
    case '.google.protobuf.Duration':
      return { in: durationIn, out: durationOut };
  }
  if (!/^\.google\.protobuf\.\w+Value$/.test(type.fullName) || type.fieldsArray.length !== 1)
    return undefined;
  const [field] = type.fieldsArray as [Field];
  // Wrappers; ListValue has a repeated field and stays as it is.
  if (field.repeated) return undefined;
  return {
    in: (json, at) => ({ value: toValue(field.resolve(), json, at) }),
    out: ({ value }) => value ?? field.defaultValue,
  };
}

const nanosOf = (fraction = ''): number => Number(fraction.padEnd(9, '0'));
const fractionOf = (nanos: unknown): string =>
  Number(nanos ?? 0) === 0
    ? ''
    : `.${String(Math.abs(Number(nanos))).padStart(9, '0')}`.replace(/(?:000){1,2}$/, '');

function timestampIn(json: unknown, at: string): Fields {
  const found = /^(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)$/.exec(
    String(json),
  );
  const milliseconds = found ? Date.parse(`${found[1] as string}${found[3] as string}`) : Number.NaN;
  if (Number.isNaN(milliseconds))
    throw new FieldInvalid(`"${at}" is not a time such as "2026-01-31T12:00:00Z"`);
  return { seconds: String(milliseconds / 1_000), nanos: nanosOf(found?.[2]) };
}
const timestampOut = ({ seconds, nanos }: Fields): string =>
  `${new Date(Number(seconds ?? 0) * 1_000).toISOString().replace(/\.000Z$/, '')}${fractionOf(nanos)}Z`;

function durationIn(json: unknown, at: string): Fields {
  const found = /^(-?)(\d{1,12})(?:\.(\d{1,9}))?s$/.exec(String(json));
  if (!found) throw new FieldInvalid(`"${at}" is not a duration such as "1.5s"`);
  const [, sign = '', seconds = '', fraction] = found;
  return { seconds: `${sign}${seconds}`, nanos: Number(`${sign}${nanosOf(fraction)}`) };
}
const durationOut = ({ seconds, nanos }: Fields): string => {
  const whole = typeof seconds === 'string' ? seconds : '0';
  const sign = Number(nanos ?? 0) < 0 && !whole.startsWith('-') ? '-' : '';
  return `${sign}${whole}${fractionOf(nanos)}s`;
};

/** Throws a SyntaxError. Integers of 64 bits stay exact. */
export const parseMessageJson = (body: Buffer): unknown => parseJson(body.toString('utf8'));
