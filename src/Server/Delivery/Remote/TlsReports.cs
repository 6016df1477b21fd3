using CbaMail.Reports;
using CbaMail.Smtp.Client;
using CbaMail.Storage;

namespace CbaMail.Delivery.Remote;

/// <summary>
/// Counts connections for TLS-RPT (RFC 8460). Counts wait in memory and are written by the next commit that settles a message anyway:
/// no attempt ends without one, and no commit is made for them alone.
/// </summary>
internal sealed class TlsReports(TimeProvider time)
{
    // more than this in one commit would keep others waiting; the rest goes with the next
    const int MaxAtOnce = 50;
    // whoever makes us send bounces everywhere does not make this his own: what is beyond is not counted
    internal const int MaxPending = 10_000, MaxFailures = 200;

    sealed class Count
    {
        public long Success, Failure;
        public readonly Dictionary<(string Result, string Source, string Host, string Address), (string Reason, long Count)> Failures = [];
    }

    readonly Lock gate = new();
    readonly Dictionary<(long Day, TlsReportKey Key), Count> pending = [];

    public static long Day(DateTimeOffset at) => at.ToUnixTimeSeconds() / 86400;

    public void Succeeded(TlsReportKey key)
    {
        lock (gate)
            if (Of(key) is { } count) count.Success++;
    }

    public void Failed(TlsReportKey key, TlsFailure failure, string source, ClientTarget target, string reason)
    {
        lock (gate)
        {
            if (Of(key) is not { } count) return;
            count.Failure++;
            var detail = (Result(failure), source, target.Host, target.Address.ToString());
            if (count.Failures.Count < MaxFailures || count.Failures.ContainsKey(detail)) count.Failures[detail] = (reason.Length > 300 ? reason[..300] : reason, count.Failures.GetValueOrDefault(detail).Count + 1);
        }
    }

    internal int Pending { get { lock (gate) return pending.Count; } }

    Count? Of(TlsReportKey key)
    {
        var slot = (Day(time.GetUtcNow()), key);
        if (pending.TryGetValue(slot, out var count) || pending.Count >= MaxPending) return count;
        pending[slot] = count = new Count();
        return count;
    }

    /// <summary>Writes what waits, in the transaction of whoever commits next.</summary>
    public void Save(WriteTransaction write)
    {
        List<((long Day, TlsReportKey Key) Slot, Count Count)> taken;
        lock (gate)
        {
            if (pending.Count == 0) return;
            taken = [.. pending.Take(MaxAtOnce).Select(pair => (pair.Key, pair.Value))];
            foreach (var (slot, _) in taken) pending.Remove(slot);
        }
        foreach (var (slot, count) in taken)
            TlsReportTable.Add(write, slot.Day, slot.Key, count.Success, count.Failure,
                count.Failures.Select(pair => new TlsFailureDetail(pair.Key.Result, pair.Key.Source, pair.Key.Host, pair.Key.Address, pair.Value.Reason, pair.Value.Count)));
    }

    /// <summary>RFC 8460 4.3: the names of the result types.</summary>
    public static string Result(TlsFailure failure) => failure switch
    {
        TlsFailure.StartTlsNotSupported => "starttls-not-supported",
        TlsFailure.CertificateHostMismatch => "certificate-host-mismatch",
        TlsFailure.CertificateExpired => "certificate-expired",
        TlsFailure.CertificateNotTrusted => "certificate-not-trusted",
        TlsFailure.TlsaInvalid => "tlsa-invalid",
        TlsFailure.DnssecInvalid => "dnssec-invalid",
        TlsFailure.DaneRequired => "dane-required",
        TlsFailure.StsPolicyFetchError => "sts-policy-fetch-error",
        TlsFailure.StsPolicyInvalid => "sts-policy-invalid",
        TlsFailure.StsWebpkiInvalid => "sts-webpki-invalid",
        _ => "validation-failure",
    };
}
