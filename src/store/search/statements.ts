/** Where one SQL statement ends and the next begins: MLflow takes one statement only. */
import { isBlank, type Token, tokenize } from './tokens.js';

/** The statements of a text; text of nothing but whitespace has none. */
export function statements(text: string): Token[][] {
  const found: Token[][] = [];
  let tokens: Token[] = [];
  let level = 0;
  /** Blocks opened by BEGIN: a semicolon inside one does not end the statement. */
  let blocks = 0;
  let ended = false;
  for (const token of tokenize(text)) {
    if (ended && token.type !== 'whitespace' && token.type !== 'comment.single') {
      found.push(tokens);
      [tokens, level, blocks, ended] = [[], 0, 0, false];
    }
    tokens.push(token);
    const word = token.type.startsWith('keyword') ? token.text.toUpperCase() : '';
    if (token.type === 'punctuation' && token.text === '(') level += 1;
    else if (token.type === 'punctuation' && token.text === ')') level -= 1;
    else if (word === 'BEGIN') [level, blocks] = [level + 1, blocks + 1];
    else if (word === 'END') [level, blocks] = [level - 1, Math.max(0, blocks - 1)];
    if (token.type === 'punctuation' && token.text === ';') {
      if (tokens.at(-2)?.type === 'keyword' && tokens.at(-2)?.text.toUpperCase() === 'BEGIN') {
        [level, blocks] = [level - 1, blocks - 1];
      }
      ended ||= level <= 0 && blocks === 0;
    } else if (token.type === 'keyword' && /^GO(?:\s|$)/.test(token.text)) ended = true;
  }
  if (!tokens.every(({ type }) => isBlank(type))) found.push(tokens);
  return found;
}
