namespace CbaMail.Tests.Wire;

/// <summary>A mailbox of other servers: a folder with a file a message.</summary>
internal static class Maildir
{
    public static List<string> All(string folder)
    {
        var arrived = Path.Combine(folder, "new");
        return System.IO.Directory.Exists(arrived) ? [.. System.IO.Directory.GetFiles(arrived).Order(StringComparer.Ordinal).Select(File.ReadAllText)] : [];
    }
}
