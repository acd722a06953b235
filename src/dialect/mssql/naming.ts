import type { Naming } from '../../schema/fold.js';

/**
 * The server's own names end in a part of the object's number (`FK__runs__experiment__3E52440B`): nothing can foretell
 * them. A constraint that an earlier step of the plan made is looked up when it is dropped (see lookup.ts).
 */
export const naming: Naming = { foreignKey: () => null, unique: () => null, check: () => null };
