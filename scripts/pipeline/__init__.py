"""The library behind the commands. Bytes flow one way, and so do imports: each room from below.

validation the one place where reading, judging and reporting are put in order
report     issues for people and machines
fix        mechanical repairs
comparison what changed between two packages, and which version step that needs
rules      a Package to issues: a rule is a function, a module is a subject
documents  what is generated from schemas, rules and tables
formats    the tables of a valid package to files: one module, one format, one signature
evidence   the tables joined, as people look at them; the views that exports have beside them
package    from a path to a Package with its tables; notes facts, judges nothing

issue, versions, start, files, folders and cli are below all of them. docs/architecture.md has the
picture, and what to touch for a rule, a format, a table, a value or a property.
"""
