import { addForeignKey, alterTable, dropForeignKey, revision } from '../src/schema/operations.js';

export default revision('0584bdc529eb', {
  parent: 'f5a4f2784254',
  title: 'datasets: deleted with their experiment',
  operations: [
    alterTable(
      'datasets',
      dropForeignKey(['experiment_id'], 'experiments'),
      addForeignKey('fk_datasets_experiment_id_experiments', {
        columns: ['experiment_id'],
        table: 'experiments',
        onDelete: 'cascade',
      }),
    ),
  ],
});
