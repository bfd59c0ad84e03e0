import type { ProxyEvidence } from '@strangler/contracts';
import { addUp } from './add-up.js';
import { answering, type Evidence, type ProxyAnswer } from './evidence.js';

/** A proxy that the control plane knows of, by its instance, and where its evidence is. */
export type KnownProxy = { readonly name: string; readonly url: string };

/** What the answers of all proxies come to. `countFrom`: when one was last lost, and its counts with it. */
export function hearProxies(
  answers: readonly ProxyAnswer[],
  countFrom: string | null = null,
): Pick<Evidence, 'proxies' | 'proxy' | 'heard'> {
  const proxies = eachOnce(answers);
  const [first, ...more] = answering(proxies);
  const heard = first ? addUp([first, ...more], countFrom) : null;
  const silent = proxies.flatMap(({ name, answer }) => (answer.ok ? [] : [{ name, reason: answer.reason }]));
  if (heard !== null && silent.length === 0) return { proxies, heard, proxy: { ok: true, evidence: heard } };
  const reason = silent.map(({ name, reason: why }) => `proxy "${name}" has not answered: ${why}`).join('; ');
  return { proxies, heard, proxy: { ok: false, reason } };
}

/** A proxy that is known by two addresses counts once; one that answers by either has answered. */
function eachOnce(answers: readonly ProxyAnswer[]): readonly ProxyAnswer[] {
  const key = ({ instance, startedAt }: ProxyEvidence) => `${instance} ${startedAt}`;
  const seen = new Set<string>();
  const heard = answers.filter(({ answer }) => {
    if (!answer.ok || seen.has(key(answer.evidence))) return false;
    seen.add(key(answer.evidence));
    return true;
  });
  const names = new Set(heard.map(({ name }) => name));
  return [...heard, ...answers.filter(({ name, answer }) => !answer.ok && !names.has(name))];
}
