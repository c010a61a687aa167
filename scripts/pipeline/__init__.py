"""The library behind the commands. Bytes flow one way, and so do imports: each room from below.

validation  the one place where reading, judging and reporting are put in order
papers      from the exports of reference managers to rows, and from abstracts to figures
report      issues for people and machines
fix         mechanical repairs
comparison  what changed between two packages, and which version step that needs
source_page the sentences of a pasted page, and what became of those that were recorded
rules       a Package to issues: a rule is a function, a module is a subject
causes      which of the faults that rules find only follow from others
documents   what is generated from schemas, rules and tables
formats     the tables of a valid package to files: one module, one format, one signature
evidence    the tables joined, as people look at them; the views that exports have beside them
package     from a path to a Package with its tables; notes facts, judges nothing
folders     how a folder is replaced: whole or not at all
cli         how a command begins and ends
files       how a file is opened and written
issue       how a fault and a value are said
versions    how versions follow each other
authors     how a cell holds authors
letters     how names are written in the letters a to z
start       what keeps a command from starting

docs/architecture.md has the picture, and what to touch for a rule, a format, a table, a value or a
property.
"""
