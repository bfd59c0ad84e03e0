/** The statements of a script for the `mysql` program, which changes the sign at their end by DELIMITER. */
export function statementsOf(script: string): string[] {
  const statements: string[] = [];
  let delimiter = ';';
  let statement = '';
  for (const line of script.split('\n')) {
    const changed = /^\s*DELIMITER\s+(\S+)/i.exec(line);
    if (changed) delimiter = changed[1] ?? ';';
    else if (/^\s*--/.test(line) && statement.trim() === '') continue;
    else if (line.trimEnd().endsWith(delimiter)) {
      statements.push(statement + line.trimEnd().slice(0, -delimiter.length));
      statement = '';
    } else statement += `${line}\n`;
  }
  return statements.filter((text) => text.trim() !== '');
}
