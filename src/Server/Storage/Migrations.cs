using CbaMail.Storage.Sqlite;

namespace CbaMail.Storage;

/// <summary>
/// The schema, forward only: the numbered files of <c>Schema/</c>, each in one transaction of its own,
/// the number of the last one kept in the database (<c>PRAGMA user_version</c>).
/// </summary>
public static class Migrations
{
    /// <summary>The schema that this release writes.</summary>
    public static int Newest => Files().LastOrDefault().Number;

    static (int Number, string Name)[] Files() => [.. typeof(Migrations).Assembly.GetManifestResourceNames()
        .Where(name => name.Contains(".Schema.", StringComparison.Ordinal) && name.EndsWith(".sql", StringComparison.Ordinal))
        .Select(name => (Number: int.Parse(name.Split(".Schema.")[1].TrimStart('_')[..4], System.Globalization.CultureInfo.InvariantCulture), Name: name))
        .OrderBy(file => file.Number)];

    /// <exception cref="InvalidOperationException">The data are from a newer release.</exception>
    public static void Apply(SqliteConnection connection)
    {
        var assembly = typeof(Migrations).Assembly;
        var files = Files();
        var version = (int)(connection.Prepare("PRAGMA user_version").Scalar() ?? 0);
        if (files.Length > 0 && version > files[^1].Number)
            throw new InvalidOperationException($"The data directory was written by a newer release (schema {version}); this one knows {files[^1].Number}. Install the newer release.");
        foreach (var (number, name) in files.Where(file => file.Number > version))
        {
            using var stream = assembly.GetManifestResourceStream(name)!;
            using var reader = new StreamReader(stream);
            connection.Execute("BEGIN IMMEDIATE");
            try
            {
                connection.Execute(reader.ReadToEnd());
                connection.Execute($"PRAGMA user_version={number}");
                connection.Execute("COMMIT");
            }
            catch
            {
                connection.Execute("ROLLBACK");
                throw;
            }
        }
    }
}
