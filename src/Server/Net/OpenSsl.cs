using System.Net.Security;
using System.Reflection;
using System.Runtime.InteropServices;

namespace CbaMail.Net;

/// <summary>
/// What <see cref="SslStream"/> does not offer and the OpenSSL below it does. Where there is none, or it looks different one day,
/// nothing happens: each caller can do without.
/// </summary>
static partial class OpenSsl
{
    // the stream's handle is OpenSSL's SSL*
    static readonly FieldInfo? handle = typeof(SslStream).GetField("_securityContext", BindingFlags.Instance | BindingFlags.NonPublic);

    const int ControlMode = 33, ReleaseBuffers = 0x10; // SSL_CTRL_MODE, SSL_MODE_RELEASE_BUFFERS

    /// <summary>
    /// After the handshake: the two buffers of a record (16 KB each) are held only while there is something in them. Otherwise
    /// each connection keeps both until its end: most of what an idle one would take.
    /// </summary>
    /// <returns>Whether it is so.</returns>
    public static bool HoldNoBuffers(SslStream tls) => Use(tls, static ssl => (Control(ssl, ControlMode, ReleaseBuffers, 0) & ReleaseBuffers) != 0);

    /// <summary>Keying material of the connection (RFC 8446 7.5) without a context, or null.</summary>
    public static byte[]? Export(SslStream tls, byte[] label, int length)
    {
        var secret = new byte[length];
        return Use(tls, ssl => Export(ssl, secret, length, label, label.Length, [], 0, 1) == 1) ? secret : null;
    }

    static bool Use(SslStream tls, Func<nint, bool> work)
    {
        if (handle?.GetValue(tls) is not SafeHandle { IsInvalid: false, IsClosed: false } ssl) return false;
        var held = false;
        try
        {
            ssl.DangerousAddRef(ref held);
            return work(ssl.DangerousGetHandle());
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException or ObjectDisposedException)
        {
            return false;
        }
        finally
        {
            if (held) ssl.DangerousRelease();
        }
    }

    [LibraryImport("libssl.so.3", EntryPoint = "SSL_ctrl")]
    private static partial nint Control(nint ssl, int command, nint argument, nint pointer);

    [LibraryImport("libssl.so.3", EntryPoint = "SSL_export_keying_material")]
    private static partial int Export(nint ssl, byte[] secret, nint length, byte[] label, nint labelLength, byte[] context, nint contextLength, int useContext);
}
