import type { LifecycleStage, ViewType } from './records.js';

const STAGES: Readonly<Record<ViewType, readonly LifecycleStage[]>> = {
  ACTIVE_ONLY: ['active'],
  DELETED_ONLY: ['deleted'],
  ALL: ['active', 'deleted'],
};

/** The stages that a search is about: the active one where nothing is said. */
export const stagesOf = (view: ViewType = 'ACTIVE_ONLY'): readonly LifecycleStage[] => STAGES[view];
