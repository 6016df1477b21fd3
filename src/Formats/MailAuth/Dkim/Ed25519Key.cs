using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace CbaMail.MailAuth.Dkim;

/// <summary>
/// Ed25519 of the system's libcrypto, which .NET itself stands on; .NET 10 has no Ed25519 of its own. A key is never changed after it
/// was made, and libcrypto lets several threads use it at once.
/// </summary>
public sealed unsafe class Ed25519Key : SafeHandleZeroOrMinusOneIsInvalid
{
    /// <summary>Octets of a public key and of a private one (RFC 8410 3 and 7).</summary>
    public const int Length = 32;
    /// <summary>Octets of a signature.</summary>
    public const int SignatureLength = 64;

    const int Type = 1087; // NID_ED25519

    static readonly Lazy<Library> Loaded = new(() => new Library());

    Ed25519Key(nint key) : base(ownsHandle: true) => SetHandle(key);

    /// <summary>Whether the system has the library.</summary>
    public static bool IsSupported => Loaded.Value.Missing is null;

    /// <exception cref="PlatformNotSupportedException">The system has no libcrypto.</exception>
    public static Ed25519Key Public(ReadOnlySpan<byte> key) => Make(Needed.NewPublic, key);

    /// <exception cref="PlatformNotSupportedException">The system has no libcrypto.</exception>
    public static Ed25519Key Private(ReadOnlySpan<byte> seed) => Make(Needed.NewPrivate, seed);

    static Library Needed => Loaded.Value.Missing is { } missing ? throw new PlatformNotSupportedException(missing) : Loaded.Value;

    static Ed25519Key Make(delegate* unmanaged<int, nint, byte*, nuint, nint> make, ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Length) throw new CryptographicException("An Ed25519 key has 32 octets.");
        fixed (byte* start = bytes)
        {
            var key = make(Type, 0, start, Length);
            return key != 0 ? new(key) : throw new CryptographicException("libcrypto did not take the Ed25519 key.");
        }
    }

    /// <summary>The public half.</summary>
    public byte[] PublicBytes()
    {
        var bytes = new byte[Length];
        nuint length = Length;
        fixed (byte* start = bytes)
            if (Needed.GetPublic(handle, start, &length) != 1 || length != Length) throw new CryptographicException("libcrypto did not give the public key.");
        return bytes;
    }

    /// <summary>Signs the bytes themselves (PureEdDSA).</summary>
    public byte[] Sign(ReadOnlySpan<byte> message)
    {
        var signature = new byte[SignatureLength];
        nuint length = SignatureLength;
        var context = Needed.NewContext();
        try
        {
            fixed (byte* text = message, start = signature)
                if (Needed.SignInit(context, 0, 0, 0, handle) != 1 || Needed.Sign(context, start, &length, text, (nuint)message.Length) != 1 || length != SignatureLength)
                    throw new CryptographicException("libcrypto did not sign.");
        }
        finally
        {
            Needed.FreeContext(context);
        }

        return signature;
    }

    /// <summary>Whether the signature is this key's over the bytes.</summary>
    public bool Verify(ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature)
    {
        if (signature.Length != SignatureLength) return false;
        var context = Needed.NewContext();
        try
        {
            fixed (byte* text = message, start = signature)
                return Needed.VerifyInit(context, 0, 0, 0, handle) == 1 && Needed.Verify(context, start, (nuint)signature.Length, text, (nuint)message.Length) == 1;
        }
        finally
        {
            Needed.FreeContext(context);
        }
    }

    protected override bool ReleaseHandle()
    {
        Loaded.Value.FreeKey(handle);
        return true;
    }

    /// <summary>The functions of libcrypto, looked up by hand so that a system without it can say so instead of falling.</summary>
    sealed class Library
    {
        static readonly string[] Names = ["libcrypto.so.3", "libcrypto.so.1.1", "libcrypto.so", "libcrypto.3.dylib", "libcrypto-3-x64.dll"];

        public readonly string? Missing;
        public readonly delegate* unmanaged<int, nint, byte*, nuint, nint> NewPublic, NewPrivate;
        public readonly delegate* unmanaged<nint, byte*, nuint*, int> GetPublic;
        public readonly delegate* unmanaged<nint> NewContext;
        public readonly delegate* unmanaged<nint, void> FreeContext, FreeKey;
        public readonly delegate* unmanaged<nint, nint, nint, nint, nint, int> SignInit, VerifyInit;
        public readonly delegate* unmanaged<nint, byte*, nuint*, byte*, nuint, int> Sign;
        public readonly delegate* unmanaged<nint, byte*, nuint, byte*, nuint, int> Verify;

        public Library()
        {
            nint library = 0;
            if (!Array.Exists(Names, name => NativeLibrary.TryLoad(name, out library)))
            {
                Missing = "Ed25519 needs OpenSSL's libcrypto: install libssl3 (Debian), openssl-libs (Red Hat) or libcrypto3 (Alpine).";
                return;
            }

            try
            {
                NewPublic = (delegate* unmanaged<int, nint, byte*, nuint, nint>)NativeLibrary.GetExport(library, "EVP_PKEY_new_raw_public_key");
                NewPrivate = (delegate* unmanaged<int, nint, byte*, nuint, nint>)NativeLibrary.GetExport(library, "EVP_PKEY_new_raw_private_key");
                GetPublic = (delegate* unmanaged<nint, byte*, nuint*, int>)NativeLibrary.GetExport(library, "EVP_PKEY_get_raw_public_key");
                NewContext = (delegate* unmanaged<nint>)NativeLibrary.GetExport(library, "EVP_MD_CTX_new");
                FreeContext = (delegate* unmanaged<nint, void>)NativeLibrary.GetExport(library, "EVP_MD_CTX_free");
                FreeKey = (delegate* unmanaged<nint, void>)NativeLibrary.GetExport(library, "EVP_PKEY_free");
                SignInit = (delegate* unmanaged<nint, nint, nint, nint, nint, int>)NativeLibrary.GetExport(library, "EVP_DigestSignInit");
                VerifyInit = (delegate* unmanaged<nint, nint, nint, nint, nint, int>)NativeLibrary.GetExport(library, "EVP_DigestVerifyInit");
                Sign = (delegate* unmanaged<nint, byte*, nuint*, byte*, nuint, int>)NativeLibrary.GetExport(library, "EVP_DigestSign");
                Verify = (delegate* unmanaged<nint, byte*, nuint, byte*, nuint, int>)NativeLibrary.GetExport(library, "EVP_DigestVerify");
            }
            catch (EntryPointNotFoundException e)
            {
                Missing = $"OpenSSL's libcrypto on this system is too old for Ed25519 (1.1.1 has it): {e.Message}";
            }
        }
    }
}
