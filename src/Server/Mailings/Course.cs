namespace CbaMail.Mailings;

/// <param name="Slug">The short name used in verbs: lower-case ASCII letters, digits and hyphens.</param>
/// <param name="Language">"ru" or "en".</param>
/// <param name="Columns">Names of the further columns, as first written, in order: merge fields.</param>
public sealed record Course(long Id, string Slug, string Name, string Domain, string Language, IReadOnlyList<string> Columns, int Participants, DateTimeOffset Created);

/// <param name="Address">As written.</param>
/// <param name="Fields">JSON object: column to text.</param>
/// <param name="Line">Where it stood in the file that brought it.</param>
public readonly record struct Participant(long Id, string Address, string Name, string Fields, int Line);

/// <summary>A row that an import left out.</summary>
/// <param name="Line">1-based line of the file at which the row begins.</param>
public sealed record ImportError(int Line, string Address, string Reason);

/// <summary>What an import did.</summary>
public sealed record ImportReport(int Added, int Updated, int Unchanged, IReadOnlyList<ImportError> Errors);
