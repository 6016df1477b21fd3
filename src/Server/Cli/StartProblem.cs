using System.Net.Sockets;
using CbaMail.Config;
using CbaMail.Storage;
using CbaMail.Storage.Sqlite;
using Microsoft.AspNetCore.Connections;

namespace CbaMail.Cli;

/// <summary>Why a server does not start, in a sentence that says what to do; null for surprises.</summary>
public static class StartProblem
{
    public static string? Sentence(Exception surprise, Settings settings)
    {
        for (var e = surprise; e is not null; e = e.InnerException)
        {
            switch (e)
            {
                case AddressInUseException or SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse }:
                    return $"{Where(surprise)} is in use by another program; stop that one, or move every port with --port-offset N.";
                case SocketException { SocketErrorCode: SocketError.AccessDenied }:
                    return $"{Where(surprise)} may be opened only by an administrator: run as root, allow it with \"sysctl net.ipv4.ip_unprivileged_port_start=0\", or move every port with --port-offset N.";
                case SocketException { SocketErrorCode: SocketError.AddressNotAvailable }:
                    return $"{Where(surprise)} is no address of this machine; correct \"listeners\" in the settings file.";
                case SqliteError or IOException when StoreTrouble.Of(e) is { } trouble:
                    return Sentence(trouble, settings);
                case SqliteError:
                    return $"The database in {settings.Data} cannot be opened: {OneLine(e.Message)}; 'cbamail verify --data {settings.Data}' says what is wrong with it.";
                case UnauthorizedAccessException:
                    return $"The data directory {settings.Data} cannot be used: {OneLine(e.Message)}";
                case InvalidOperationException when e.GetType() == typeof(InvalidOperationException) && e.TargetSite?.DeclaringType?.Assembly == typeof(StartProblem).Assembly:
                    return OneLine(e.Message); // our own rooms say such things in sentences
                case FormatException when e.TargetSite?.DeclaringType?.Assembly == typeof(StartProblem).Assembly:
                    return OneLine(e.Message);
                case IOException when e is not AddressInUseException && e.InnerException is null:
                    return $"The data directory {settings.Data} cannot be used: {OneLine(e.Message)}";
            }
        }
        return null;
    }

    static string Sentence(Envelope.Refusal trouble, Settings settings) =>
        ReferenceEquals(trouble, StoreTrouble.Full) ? $"No space is left on the disk of the data directory {settings.Data}: make room there and start again."
        : ReferenceEquals(trouble, StoreTrouble.Unwritable) ? $"The data directory {settings.Data} lies on a disk that is read-only or fails: mount it for writing (mount -o remount,rw), or give another directory with --data."
        : ReferenceEquals(trouble, StoreTrouble.Descriptors) ? "Too few files may be open at once: raise the limit (LimitNOFILE= of the systemd unit, or ulimit -n) and start again."
        : "There is not enough memory to start.";

    // as Kestrel says it: "Failed to bind to address http://127.0.0.1:10080: address already in use."
    static string Where(Exception surprise)
    {
        const string mark = "to address ";
        var start = surprise.Message.IndexOf(mark, StringComparison.Ordinal);
        var scheme = start < 0 ? -1 : surprise.Message.IndexOf("://", start, StringComparison.Ordinal);
        if (scheme < 0) return "An address to listen at";
        var address = surprise.Message[(scheme + 3)..];
        var end = address.IndexOf(": ", StringComparison.Ordinal);
        return "The address " + (end < 0 ? address.TrimEnd('.') : address[..end]);
    }

    static string OneLine(string text) => text.ReplaceLineEndings(" ").Trim();
}
