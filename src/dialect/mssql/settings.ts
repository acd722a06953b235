/**
 * Options of every session, whatever the server's and the user's defaults are: the index on the computed column of `spans`
 * needs these (https://learn.microsoft.com/en-us/sql/relational-databases/indexes/indexes-on-computed-columns), and NOCOUNT
 * would hide how many rows a statement changed.
 */
export const SETTINGS = [
  'SET QUOTED_IDENTIFIER, ANSI_NULLS, ANSI_PADDING, ANSI_WARNINGS, ARITHABORT, CONCAT_NULL_YIELDS_NULL ON',
  'SET NUMERIC_ROUNDABORT, IMPLICIT_TRANSACTIONS, NOCOUNT OFF',
].join(';\n');
