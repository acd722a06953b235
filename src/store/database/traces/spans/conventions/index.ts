import type { Convention } from './convention.js';
import { CLAUDE_CODE, GOOGLE_ADK, LANGFUSE, OPEN_INFERENCE, TRACELOOP, VERCEL_AI, VOLTAGENT } from './others.js';
import { GEMINI_CLI, GEN_AI, LAMINAR, LIVEKIT, SPRING_AI } from './semantic.js';

/** In the order in which MLflow asks them: the first that says something counts. */
export const CONVENTIONS: readonly Convention[] = [
  OPEN_INFERENCE,
  GEMINI_CLI,
  CLAUDE_CODE,
  GEN_AI,
  SPRING_AI,
  TRACELOOP,
  GOOGLE_ADK,
  VERCEL_AI,
  VOLTAGENT,
  LIVEKIT,
  LAMINAR,
  LANGFUSE,
];

/** Those that are asked about events, when no attribute says it. */
export const OF_EVENTS: readonly Convention[] = [SPRING_AI, LIVEKIT, CLAUDE_CODE];
