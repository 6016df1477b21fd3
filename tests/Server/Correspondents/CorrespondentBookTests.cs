using CbaMail.Correspondents;
using CbaMail.Envelope;
using CbaMail.Tests.Server.Directory;
using Xunit;

namespace CbaMail.Tests.Server.Correspondents;

public class CorrespondentBookTests
{
    static MailAddress Address(string text) => MailAddress.TryParse(text, out var address) ? address : throw new ArgumentException(text);

    static async Task<(DirectoryFixture Fixture, CorrespondentBook Book, long Anna)> NewAsync()
    {
        var fixture = await DirectoryFixture.NewAsync();
        var anna = await fixture.AddAsync("anna@example.test");
        return (fixture, new CorrespondentBook(fixture.Store, fixture.Users, fixture.Time), anna.Id);
    }

    static async Task WriteAsync(DirectoryFixture fixture, CorrespondentBook book, long account, string to) =>
        await fixture.Store.CommitAsync(transaction =>
        {
            book.RecordSent(transaction, account, Address(to));
            return true;
        }, TestContext.Current.CancellationToken);

    [Fact]
    public async Task WhoWasWrittenToIsKnownWhateverTheWritingOfTheAddress()
    {
        var (fixture, book, anna) = await NewAsync();
        await using var _ = fixture;
        Assert.False(book.IsKnown(anna, Address("bob@peer.test")));
        await WriteAsync(fixture, book, anna, "Bob+list@Peer.TEST");
        Assert.True(book.IsKnown(anna, Address("bob@peer.test")));
        Assert.True(book.IsKnown(anna, Address("BOB+x@peer.test")));
        Assert.False(book.IsKnown(anna, Address("bob@other.test")));
        Assert.False(book.IsKnown(anna + 1, Address("bob@peer.test")));
    }

    [Fact]
    public async Task ItIsKnownAfterARestartToo()
    {
        var (fixture, book, anna) = await NewAsync();
        await using var _ = fixture;
        await WriteAsync(fixture, book, anna, "bob@peer.test");
        await fixture.RestartAsync();
        book = new CorrespondentBook(fixture.Store, fixture.Users, fixture.Time);
        Assert.True(book.IsKnown(anna, Address("bob@peer.test")));
        Assert.True(book.IsKnown(anna, Address("bob@peer.test")));
        Assert.Equal(1, book.CountNew(anna, [Address("bob@peer.test"), Address("new@peer.test")]));
    }

    [Fact]
    public async Task WhatIsReceivedMakesNobodyKnown()
    {
        var (fixture, book, anna) = await NewAsync();
        await using var _ = fixture;
        await fixture.Store.CommitAsync(transaction =>
        {
            book.RecordReceived(transaction, anna, Address("spam@peer.test"));
            return true;
        }, TestContext.Current.CancellationToken);
        Assert.False(book.IsKnown(anna, Address("spam@peer.test")));
        Assert.True(book.HasWritten(anna, Address("spam@peer.test")));
    }

    [Fact]
    public async Task RowsGoWithTheirAccountAndAfterTwoYears()
    {
        var (fixture, book, anna) = await NewAsync();
        await using var _ = fixture;
        var second = (await fixture.AddAsync("second@example.test")).Id;
        await WriteAsync(fixture, book, anna, "bob@peer.test");
        await WriteAsync(fixture, book, second, "bob@peer.test");
        Assert.True(book.IsKnown(anna, Address("bob@peer.test")));
        await fixture.Users.RemoveAccountAsync(fixture.Users.GetAccount(anna)!, TestContext.Current.CancellationToken);
        Assert.False(book.IsKnown(anna, Address("bob@peer.test")));
        Assert.True(book.IsKnown(second, Address("bob@peer.test")));

        fixture.Time.Advance(TimeSpan.FromDays(731));
        await WriteAsync(fixture, book, second, "new@peer.test");
        await book.PruneAsync(TestContext.Current.CancellationToken);
        book = new CorrespondentBook(fixture.Store, fixture.Users, fixture.Time);
        Assert.False(book.IsKnown(second, Address("bob@peer.test")));
        Assert.True(book.IsKnown(second, Address("new@peer.test")));
    }
}
