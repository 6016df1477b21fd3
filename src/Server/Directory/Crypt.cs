using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace CbaMail.Directory;

/// <summary>
/// crypt(3) of the system's libxcrypt: makes yescrypt hashes (<c>$y$</c>) and verifies whatever else people bring from other servers
/// (<c>$2b$</c>, <c>$6$</c>, <c>$5$</c>, <c>$1$</c>, <c>$7$</c>, <c>$gy$</c>, DES). One call costs about 28 ms of a core: go through <see cref="PasswordHashing"/>. Hashes from outside come in by <see cref="PasswordSchemes"/>.
/// </summary>
internal static unsafe partial class Crypt
{
    /// <summary>libxcrypt's CRYPT_MAX_PASSPHRASE_SIZE, less its NUL.</summary>
    public const int LongestPassword = 511;

    const int DataSize = 32768; // sizeof(struct crypt_data), crypt(3)

    /// <summary>Whether crypt(3) would see the whole password: it ends at a NUL and refuses what is longer.</summary>
    public static bool CanHash(string password) =>
        password.Length > 0 && !password.Contains('\0') && Encoding.UTF8.GetByteCount(password) <= LongestPassword;

    /// <summary>The cost that the library takes by itself.</summary>
    public const int StandardCost = 5;

    /// <summary>A new yescrypt hash.</summary>
    /// <param name="cost">From 1 to 11 (crypt(5)).</param>
    public static string Hash(string password, int cost = StandardCost) =>
        Run(password, Setting(cost)) ?? throw new InvalidOperationException("libcrypt.so.1 refused to hash a password.");

    /// <summary>What all hashes of this cost begin with, as in <c>$y$j9T$</c>.</summary>
    public static string Prefix(int cost)
    {
        var setting = Setting(cost);
        return setting[..(setting.IndexOf('$', "$y$".Length) + 1)];
    }

    static string Setting(int cost)
    {
        Span<byte> random = stackalloc byte[32];
        RandomNumberGenerator.Fill(random);
        Span<byte> setting = stackalloc byte[192]; // CRYPT_GENSALT_OUTPUT_SIZE
        fixed (byte* bytes = random)
        fixed (byte* output = setting)
        {
            if (GenerateSalt("$y$", (ulong)cost, bytes, random.Length, output, setting.Length) == null)
                throw new InvalidOperationException("libcrypt.so.1 knows no yescrypt: install libcrypt1 4.3 or newer.");
            return Marshal.PtrToStringUTF8((nint)output)!;
        }
    }

    /// <summary>Whether the password belongs to the hash; compares in fixed time.</summary>
    public static bool Verify(string password, string hash)
    {
        if (hash.Length == 0 || !CanHash(password)) return false;
        return Run(password, hash) is { } computed
            && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(computed), Encoding.UTF8.GetBytes(hash));
    }

    static string? Run(string password, string setting)
    {
        var data = NativeMemory.AllocZeroed(DataSize);
        var phrase = new byte[Encoding.UTF8.GetByteCount(password) + 1];
        try
        {
            Encoding.UTF8.GetBytes(password, phrase);
            fixed (byte* bytes = phrase)
            {
                var result = Marshal.PtrToStringUTF8((nint)CryptR(bytes, setting, data));
                return result is null || result.StartsWith('*') ? null : result; // "*0" and "*1" are its failures
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(phrase);
            NativeMemory.Clear(data, DataSize);
            NativeMemory.Free(data);
        }
    }

    [LibraryImport("libcrypt.so.1", EntryPoint = "crypt_gensalt_rn", StringMarshalling = StringMarshalling.Utf8)]
    private static partial byte* GenerateSalt(string prefix, ulong count, byte* random, int randomLength, byte* output, int outputSize);

    [LibraryImport("libcrypt.so.1", EntryPoint = "crypt_r", StringMarshalling = StringMarshalling.Utf8)]
    private static partial byte* CryptR(byte* phrase, string setting, void* data);
}
