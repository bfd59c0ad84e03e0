import type { StranglerError } from '@strangler/contracts';
import type { Outcome, Sending } from './attempt.js';
import type { Verdict } from './judge.js';

/** A client's request and the way of its answer. The flow serves it without knowing which lane carries it. */
export type Exchange = {
  /** The head of an answer has gone out: nobody else can answer any more. */
  begun(): boolean;
  /** Sends the request to the upstream and the answer to the client. Never rejects. */
  forward(sending: Sending): Promise<Outcome>;
  /** Tells a tester what decided, with the answer that comes next; nothing for anybody else. */
  tell(verdict: Verdict, fellBack: boolean): void;
  /** Answers with the error; an answer that has begun is cut. */
  refuse(error: StranglerError): void;
};
