/** A short text of what went into a trace, or came out of it: of a chat, the last message of a role. */
import type { Json } from '../../../records.js';
import { readJsonText, writeJson } from '../../../search/index.js';
import { lengthOf } from '../../../validate.js';
import { isDictionary } from '../analytics.js';

const LONGEST = 1000;

export function preview(value: Json, role: 'user' | 'assistant'): string | undefined {
  const parsed = typeof value === 'string' ? readJsonText(value) : value;
  const whole = typeof value === 'string' ? value : isDictionary(value) ? writeJson(value) : undefined;
  const messages = messagesIn(parsed);
  const text = (messages && textOf(lastOf(messages, role))) || whole;
  if (text === undefined) return undefined;
  return lengthOf(text) <= LONGEST ? text : `${[...text].slice(0, LONGEST - 3).join('')}...`;
}

type Message = { readonly [key: string]: Json };

const isMessage = (value: Json | undefined): value is Message =>
  isDictionary(value) && 'role' in value && 'content' in value;

/** In the requests and answers of chats that are widely used. */
function messagesIn(value: Json | undefined): readonly Message[] | undefined {
  if (!isDictionary(value)) return undefined;
  const list = (key: string): readonly Json[] | undefined => {
    const found = value[key];
    return Array.isArray(found) && found.length > 0 ? found : undefined;
  };
  const messages = list('messages');
  if (messages) return messages.filter(isMessage);
  const [choice] = list('choices') ?? [];
  if (isDictionary(choice) && isMessage(choice.message)) return [choice.message];
  const items = list('input') ?? list('output');
  if (items) return items.filter(isMessage);
  return 'request' in value ? messagesIn(value.request) : undefined;
}

const lastOf = (messages: readonly Message[], role: string): Message | undefined =>
  messages.findLast((message) => message.role === role) ?? messages.at(-1);

function textOf(message: Message | undefined): string | undefined {
  const content = message?.content;
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return undefined;
  for (const part of content as readonly Json[]) {
    if (typeof part === 'string') return part;
    if (isDictionary(part) && (part.type === 'text' || part.type === 'output_text')) {
      return typeof part.text === 'string' ? part.text : undefined;
    }
  }
  return undefined;
}
