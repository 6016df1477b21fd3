namespace CbaMail.Cli;

/// <summary><c>secrets renew</c>: after the key file was lost.</summary>
static class SecretVerbs
{
    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("secrets renew", "", "make a new key file after DATA/secrets.key was lost", Verb.Client, RenewAsync, """
            Private keys and passwords in the database are encrypted by the key in DATA/secrets.key. Without that file they cannot be read.
            This makes a new one: DKIM and certificate keys are made anew, passwords of relays must be given again.
            """),
    ];

    static async Task<int> RenewAsync(Invocation invocation) =>
        invocation.Print(await invocation.Server.PostAsync("secrets/renew"),
            _ => "A new key file is made; keep a copy of secrets.key in another place. Restart the server now: it makes the lost private keys anew, and \"cbamail domain dns NAME\" shows what to publish.");
}
