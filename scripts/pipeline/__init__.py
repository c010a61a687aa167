"""The library behind the commands. Bytes flow one way, and so do imports: from right to left.

package    from a path to a Package with its tables; notes facts, judges nothing
formats    the tables of a valid package to files: one module, one format, one signature
documents  what is generated from schemas and rules: data dictionary, catalog, README block
rules      a Package to issues: a rule is a function, a module is a subject
report     issues for people and machines
fix        mechanical repairs
comparison what changed between two packages, and which version step that needs
validation the one place where reading, judging and reporting are put in order
papers     exports of PubMed and reference managers to rows, and beside those that are there

issue, cli, files, versions, authors and letters are below all of them: how a fault is said, how a
command begins and ends, how a file is written whole, how versions follow each other, how an author
is written, and how a name is written in a to z. docs/architecture.md has
the picture, and what to touch for a rule, a format, a table, a value or a property.
"""
