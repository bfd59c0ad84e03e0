import { Presets, SingleBar } from 'cli-progress';
import type { Teller } from '../tell-story.js';

/** Tells the story to a person at a terminal, or line by line to a log. Everything but the summary goes to standard error. */
export function printStory(out: NodeJS.WriteStream): Teller & { end(): void } {
  const bold = (text: string) => (out.isTTY ? `\u001b[1m${text}\u001b[22m` : text);
  let bar: SingleBar | undefined;
  let told = -1;
  const endBar = () => {
    bar?.stop();
    bar = undefined;
  };
  const line = (text: string) => {
    endBar();
    out.write(`${text}\n`);
  };
  return {
    chapter(title, number, of) {
      told = -1;
      line(`\n${bold(`${number}/${of} ${title}`)}`);
    },
    say: (sentence) => line(`  ${sentence}`),
    claim: (sentence, holds) => line(`  ${holds ? '✔' : '✘'} ${sentence}`),
    progress(done, total, what) {
      if (out.isTTY) {
        if (!bar) {
          bar = new SingleBar(
            { format: `  {bar} {percentage} % {value}/{total} ${what}`, stream: out, hideCursor: true },
            Presets.shades_classic,
          );
          bar.start(total, done);
        }
        bar.setTotal(total);
        bar.update(done);
        if (done >= total) endBar();
        return;
      }
      const tenth = Math.floor((done / total) * 10);
      if (tenth > told) line(`  ${tenth * 10} % ${done}/${total} ${what}`);
      told = Math.max(told, tenth);
    },
    end: endBar,
  };
}
