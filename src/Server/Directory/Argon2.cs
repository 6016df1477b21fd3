using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace CbaMail.Directory;

/// <summary>Verifies argon2 hashes by the system's libargon2, where it is installed. None are made here.</summary>
internal static unsafe partial class Argon2
{
    const string Library = "libargon2.so.1";

    static readonly Lazy<bool> there = new(() => NativeLibrary.TryLoad(Library, out _));

    public static bool IsThere => there.Value;

    /// <summary>Whether the password belongs to the hash; false where the library is missing, which <see cref="IsThere"/> tells.</summary>
    public static bool Verify(string password, string hash)
    {
        if (!IsThere) return false;
        var phrase = Encoding.UTF8.GetBytes(password);
        try
        {
            fixed (byte* bytes = phrase) return Verify(hash, bytes, (nuint)phrase.Length, hash.StartsWith("$argon2id$", StringComparison.Ordinal) ? 2 : 1) == 0; // argon2_type: Argon2_i, Argon2_id
        }
        finally
        {
            CryptographicOperations.ZeroMemory(phrase);
        }
    }

    [GeneratedRegex(@"^\$argon2id?\$(?:v=\d{1,2}\$)?m=(?<memory>\d{1,9}),t=(?<passes>\d{1,6}),p=(?<lanes>\d{1,4})\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{16,86}$")]
    public static partial Regex Parameters();

    [LibraryImport(Library, EntryPoint = "argon2_verify", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Verify(string encoded, byte* password, nuint length, int type);
}
