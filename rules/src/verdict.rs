//! What was decided, and why.

/// The practices that rules are written against, by the ids used everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Typology {
    /// Improper debt collection.
    DebtCollection = 0,
    /// Illegal loan mediation.
    LoanMediation = 1,
    /// Malicious debt evasion.
    DebtEvasion = 2,
    /// Illegal insurance claims and surrender agency.
    InsuranceClaims = 3,
    /// False credit repair.
    CreditRepair = 4,
    /// Illegal stock recommendation.
    StockTips = 5,
    /// Agencies that pose as "rights protection".
    RightsAgency = 6,
    /// General fraud: impersonation, phishing, gambling.
    Fraud = 7,
}

impl Typology {
    /// How many there are.
    pub const COUNT: usize = 8;

    /// All of them, in the order of their wire values.
    pub const ALL: [Self; Self::COUNT] = [
        Self::DebtCollection,
        Self::LoanMediation,
        Self::DebtEvasion,
        Self::InsuranceClaims,
        Self::CreditRepair,
        Self::StockTips,
        Self::RightsAgency,
        Self::Fraud,
    ];

    /// The id used in rules, sightings and configuration.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::DebtCollection => "debt-collection",
            Self::LoanMediation => "loan-mediation",
            Self::DebtEvasion => "debt-evasion",
            Self::InsuranceClaims => "insurance-claims",
            Self::CreditRepair => "credit-repair",
            Self::StockTips => "stock-tips",
            Self::RightsAgency => "rights-agency",
            Self::Fraud => "fraud",
        }
    }

    /// The name shown to people who read Chinese.
    #[must_use]
    pub const fn title_zh(self) -> &'static str {
        match self {
            Self::DebtCollection => "不当催收",
            Self::LoanMediation => "非法贷款中介",
            Self::DebtEvasion => "恶意逃废债",
            Self::InsuranceClaims => "非法代理退保理赔",
            Self::CreditRepair => "虚假征信修复",
            Self::StockTips => "非法荐股",
            Self::RightsAgency => "非法代理维权",
            Self::Fraud => "诈骗",
        }
    }

    /// From the wire value of a pack.
    #[must_use]
    pub const fn from_wire(value: u8) -> Option<Self> {
        if (value as usize) < Self::COUNT { Some(Self::ALL[value as usize]) } else { None }
    }

    /// From the id used in rules.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|typology| typology.id() == id)
    }
}

/// How far a rule, or an institution's policy for a typology, may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Ladder {
    /// Counted and reported as a shadow hit; never changes what happens to the message.
    Shadow = 0,
    /// Reported, and the message goes on.
    Flag = 1,
    /// May block.
    Enforce = 2,
}

/// What is to be done with an event. Ordered by severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Action {
    /// Pass it on untouched.
    Allow = 0,
    /// Pass it on, and report it.
    Flag = 1,
    /// Keep it back for a person to look at (doors that can't hold treat it as `Flag`).
    Hold = 2,
    /// Refuse it with the protocol's own status.
    Reject = 3,
    /// Take it and drop it, so that the sender isn't told.
    Drop = 4,
}

impl Action {
    /// The word used in output, configuration and sightings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Flag => "flag",
            Self::Hold => "hold",
            Self::Reject => "reject",
            Self::Drop => "drop",
        }
    }

    /// Whether the event stops here.
    #[must_use]
    pub const fn blocks(self) -> bool {
        matches!(self, Self::Hold | Self::Reject | Self::Drop)
    }
}
