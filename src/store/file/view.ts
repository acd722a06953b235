import type { LifecycleStage, ViewType } from '../records.js';
import { stagesOf } from '../stages.js';

/** Whether a stage is among those that a search is about. */
export const isInView = (stage: LifecycleStage, view: ViewType | undefined): boolean => stagesOf(view).includes(stage);
