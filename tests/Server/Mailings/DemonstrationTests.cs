using CbaMail.Directory;
using CbaMail.Mailings;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;
using static CbaMail.Tests.Server.Mailings.MailingFixture;

namespace CbaMail.Tests.Server.Mailings;

public class DemonstrationTests
{
    static readonly DateOnly Day = new(2026, 11, 22);

    [Fact]
    public void The_same_seed_makes_the_same_people()
    {
        var (one, two) = (DemonstrationPeople.Make(2500, "example.test", Day), DemonstrationPeople.Make(2500, "example.test", Day));
        Assert.Equal(DemonstrationPeople.Csv(one), DemonstrationPeople.Csv(two));
        Assert.NotEqual(DemonstrationPeople.Csv(one), DemonstrationPeople.Csv(DemonstrationPeople.Make(2500, "example.test", Day, seed: 2)));
        Assert.Equal(2500, one.Select(person => person.Address).Distinct().Count());
        Assert.All(one, person => Assert.Matches("^[a-z0-9.-]+@example\\.test$", person.Address));
    }

    [Fact]
    public void Surname_given_name_patronymic_and_salutation_agree()
    {
        foreach (var person in DemonstrationPeople.Make(2500, "example.test", Day))
        {
            var (last, first, patronymic) = (person.Name.Split(' ')[0], person.Name.Split(' ')[1], person.Name.Split(' ')[2]);
            Assert.Contains(first, person.Woman ? RussianNames.Women : RussianNames.Men);
            Assert.Equal(person.Woman, patronymic.EndsWith("на", StringComparison.Ordinal));
            Assert.Equal(!person.Woman, patronymic.EndsWith("ич", StringComparison.Ordinal));
            if (person.Woman) Assert.False(last.EndsWith("ов", StringComparison.Ordinal) || last.EndsWith("ев", StringComparison.Ordinal) || last.EndsWith("ин", StringComparison.Ordinal) || last.EndsWith("ский", StringComparison.Ordinal), person.Name);
            else Assert.False(last.EndsWith("ова", StringComparison.Ordinal) || last.EndsWith("ева", StringComparison.Ordinal) || last.EndsWith("ина", StringComparison.Ordinal) || last.EndsWith("ская", StringComparison.Ordinal), person.Name);
            Assert.Equal(person.Woman ? "Уважаемая" : "Уважаемый", person.Fields.Single(field => field.Key == "salutation").Value);
            Assert.Equal(new PersonName(first, patronymic, last), PersonName.Parse(person.Name));
        }
    }

    [Fact]
    public async Task Everybody_gets_his_copy_and_a_second_start_sends_nothing()
    {
        await using var house = new MailingFixture(piece: 50);
        await house.Users.AddDomainAsync("example.test");
        var said = new List<string>();
        await house.Run.StartAsync(TestContext.Current.CancellationToken);
        var result = await Start();
        Assert.Equal(new LedgerCounts(120, 0, 0, 120, 0, 0, 0), result.Counts);
        Assert.NotNull(result.Took);
        var copy = Assert.Single(house.Inbox(result.Address));
        Assert.Contains("multipart/related", copy, StringComparison.Ordinal);
        Assert.Contains("Content-ID: <logo.png>", copy, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("{{", copy, StringComparison.Ordinal);
        Assert.True((await house.Users.SignInAsync(result.Address, result.Password, default)).Ok);
        var again = await Start();
        Assert.Equal((result with { Took = null }), again);
        Assert.Single(house.Inbox(result.Address));
        Assert.Null(await house.Courses.RemoveWithMailingsAsync(result.Course, default));
        using var unused = new PasswordHashing(TimeProvider.System);
        Assert.False((await new DemonstrationCourse(house.Store, house.Users, unused, house.Courses, house.Press, TimeProvider.System, NullLogger<DemonstrationCourse>.Instance)
            .RunAsync("example.test", said.Add, default, people: 120)).Ok); // what was removed does not come back
        await house.Run.StopAsync(default);

        async Task<DemonstrationResult> Start()
        {
            using var hashing = new PasswordHashing(TimeProvider.System);
            return Ok(await new DemonstrationCourse(house.Store, house.Users, hashing, house.Courses, house.Press, TimeProvider.System, NullLogger<DemonstrationCourse>.Instance)
                .RunAsync("example.test", said.Add, default, people: 120));
        }
    }
}
