/** Attributes of spans that MLflow itself reads and writes. */
export const SPAN_TYPE = 'mlflow.spanType';
export const INPUTS = 'mlflow.spanInputs';
export const OUTPUTS = 'mlflow.spanOutputs';
export const TOKENS = 'mlflow.chat.tokenUsage';
export const TOOLS = 'mlflow.chat.tools';
export const COST = 'mlflow.llm.cost';
export const MODEL = 'mlflow.llm.model';
export const PROVIDER = 'mlflow.llm.provider';
export const FORMAT = 'mlflow.message.format';
