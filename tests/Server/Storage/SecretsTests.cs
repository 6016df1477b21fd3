using System.Text;
using CbaMail.Config;
using CbaMail.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace CbaMail.Tests.Server.Storage;

public sealed class SecretsTests : IAsyncDisposable
{
    readonly string directory = System.IO.Directory.CreateTempSubdirectory("cba-secrets").FullName;
    Store store;

    public SecretsTests() => store = Open();

    Store Open() => new(new Settings { Data = directory }, NullLogger<Store>.Instance);

    Secrets Of() => new(store, TimeProvider.System, NullLogger<Secrets>.Instance);

    string KeyFile => Path.Combine(directory, Secrets.FileName);

    ValueTask<byte[]> SealAsync(Secrets secrets, string purpose, string text) =>
        store.CommitAsync(write => secrets.Seal(write, purpose, Encoding.UTF8.GetBytes(text)));

    async Task AgainAsync()
    {
        await store.DisposeAsync();
        store = Open();
    }

    [Fact]
    public async Task A_secret_comes_back_after_a_restart_for_its_purpose_alone()
    {
        var value = await SealAsync(Of(), "dkim example.org", "private");
        Assert.DoesNotContain("private", Encoding.Latin1.GetString(value), StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(KeyFile));
        await AgainAsync();
        var secrets = Of();
        Assert.Equal("private", Encoding.UTF8.GetString(secrets.Open("dkim example.org", value).Value!));
        Assert.Contains("damaged", secrets.Open("dkim example.com", value).Refusal!.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_values_of_one_secret_differ()
    {
        var secrets = Of();
        Assert.NotEqual(await SealAsync(secrets, "a", "x"), await SealAsync(secrets, "a", "x"));
    }

    [Fact]
    public async Task A_changed_byte_anywhere_is_noticed()
    {
        var secrets = Of();
        var value = await SealAsync(secrets, "a", "some text that is secret");
        for (var i = 0; i < value.Length; i++)
        {
            var changed = value.ToArray();
            changed[i] ^= 0x20;
            Assert.False(secrets.Open("a", changed).Ok);
            Assert.False(secrets.Open("a", value.AsSpan(0, i)).Ok);
        }
    }

    [Fact]
    public async Task Where_the_file_is_gone_none_is_made_in_its_place_and_it_works_again_when_it_is_back()
    {
        var value = await SealAsync(Of(), "a", "x");
        await AgainAsync();
        File.Move(KeyFile, KeyFile + ".away");
        var without = Of();
        Assert.Contains("is missing", without.Problem!.Sentence, StringComparison.Ordinal);
        Assert.Contains("secrets renew", without.Open("a", value).Refusal!.Sentence, StringComparison.Ordinal);
        Assert.False(File.Exists(KeyFile));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await SealAsync(without, "a", "y"));
        File.Move(KeyFile + ".away", KeyFile);
        Assert.True(Of().Open("a", value).Ok);
    }

    [Theory]
    [InlineData("not a key\n", "is no key file")]
    [InlineData("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n", "is not the one")]
    [InlineData("", "is no key file")]
    public async Task A_wrong_file_is_told_from_the_right_one(string content, string sentence)
    {
        await SealAsync(Of(), "a", "x");
        await AgainAsync();
        await File.WriteAllTextAsync(KeyFile, content);
        Assert.Contains(sentence, Of().Problem!.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_was_made_and_never_used_is_taken()
    {
        var first = Of();
        await AgainAsync(); // nothing was sealed: the database knows of no key
        var second = Of();
        Assert.Null(second.Problem);
        Assert.True(first.Open("a", await SealAsync(second, "a", "x")).Ok);
    }

    [Fact]
    public async Task Renewing_forgets_what_the_lost_key_encrypted_and_keeps_a_wrong_file_beside()
    {
        var value = await SealAsync(Of(), "a", "x");
        Assert.NotNull(await Of().RenewAsync(default)); // nothing is lost
        await AgainAsync();
        await File.WriteAllTextAsync(KeyFile, "another file");
        var secrets = Of();
        Assert.Null(await secrets.RenewAsync(default));
        Assert.Contains("key file that is lost", secrets.Open("a", value).Refusal!.Sentence, StringComparison.Ordinal);
        Assert.True(secrets.Open("b", await SealAsync(secrets, "b", "y")).Ok);
        Assert.Single(System.IO.Directory.GetFiles(directory, Secrets.FileName + ".kept-*"));
        await AgainAsync();
        Assert.Null(Of().Problem);
    }

    public async ValueTask DisposeAsync()
    {
        await store.DisposeAsync();
        System.IO.Directory.Delete(directory, recursive: true);
    }
}
